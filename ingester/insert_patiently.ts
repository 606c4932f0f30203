// Inserting a block until the store has it: the same block under the same token, with back-off.

import { setTimeout as sleep } from 'node:timers/promises';
import { RefusalError } from '../service/refusal.ts';
import { type Block, type SpanStore, StoreError } from '../storage/span_store.ts';
import { backoffMs } from './backoff.ts';
import type { IngesterLedger } from './ingester_ledger.ts';

/** Senders give up after ten seconds by default; we answer before that. */
const PATIENCE_MS = 8_000;
const RETRY_AFTER_MS = 2_000;

export interface InsertDeps {
  readonly store: SpanStore;
  readonly ledger: IngesterLedger;
  readonly nowMs: () => number;
  /** For tests: how long to try. */
  readonly patienceMs?: number;
}

/** Resolves when the store has the block. Throws RefusalError: `unavailable`, or `internal`. */
export async function insertPatiently(block: Block, deps: InsertDeps): Promise<void> {
  const startMs = deps.nowMs();
  const untilMs = startMs + (deps.patienceMs ?? PATIENCE_MS);
  for (let tries = 0; ; tries++) {
    try {
      await deps.store.insert(block);
      deps.ledger.inserted(block.rows, block.native.byteLength, (deps.nowMs() - startMs) / 1000);
      return;
    } catch (error) {
      refuseTerminal(error);
      const waitMs = backoffMs(tries, Math.random);
      if (deps.nowMs() + waitMs > untilMs) throw unavailable(error);
      deps.ledger.retried();
      await sleep(waitMs);
    }
  }
}

function refuseTerminal(error: unknown): void {
  if (error instanceof StoreError && error.retryable) return;
  const message = 'the store refuses these spans; the operator finds the reason in the log';
  throw new RefusalError({ code: 'internal', message }, error);
}

function unavailable(cause: unknown): RefusalError {
  const message = 'the store does not answer; nothing is lost if you send this again';
  return new RefusalError({ code: 'unavailable', message, retryAfterMs: RETRY_AFTER_MS }, cause);
}
