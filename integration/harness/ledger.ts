import assert from 'node:assert/strict';
import { fetchMetrics } from './metrics.ts';

export interface Ledger {
  readonly received: number;
  readonly stored: number;
  /** Spans that were refused for good; their senders were told. */
  readonly rejected: number;
  /** Spans of requests that were answered with an error; their senders still have them. */
  readonly refused: number;
}

/** `metrics` is the address of the metrics port. */
export async function readLedger(metrics: string): Promise<Ledger> {
  const page = await fetchMetrics(metrics);
  return {
    received: page.sum('spanhouse_spans_received_total'),
    stored: page.sum('spanhouse_spans_stored_total'),
    rejected: page.count('spanhouse_spans_rejected_total'),
    refused: page.count('spanhouse_spans_refused_total'),
  };
}

/** Promise P4, with no request in flight: every span that came in has one fate. */
export async function assertLedgerBalances(metrics: string): Promise<Ledger> {
  const ledger = await readLedger(metrics);
  const { received, stored, rejected, refused } = ledger;
  assert.equal(received, stored + rejected + refused, JSON.stringify(ledger));
  return ledger;
}
