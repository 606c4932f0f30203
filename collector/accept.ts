// Accepting a batch: check its bytes, count, publish, and only then say yes.

import {
  type CheckResult,
  REJECT_REASONS,
  type Rejected,
} from '../model/codec/otlp/check_result.ts';
import { RefusalError } from '../service/refusal.ts';
import type { Publish } from '../storage/span_log.ts';
import type { Accept, Accepted, Batch } from './batch.ts';
import { type CollectorLedger, countRejected } from './collector_ledger.ts';
import { rejectionMessage } from './rejection_message.ts';

export interface AcceptDeps {
  /** The walk over OTLP bytes (model/codec/otlp/transcoder.ts). */
  readonly check: (
    bytes: Uint8Array,
    recordUnixNanos: bigint,
    maxAgeSeconds: number,
  ) => CheckResult;
  readonly publish: Publish;
  /** Wall clock, Unix nanoseconds. */
  readonly now: () => bigint;
  /** The retention: older spans would be gone before anyone could look at them. */
  readonly maxAgeSeconds: number;
  readonly ledger: CollectorLedger;
}

/** Makes the `accept` that all receivers call. */
export function createAccept(deps: AcceptDeps): Accept {
  return async (batch) => {
    const recordUnixNanos = deps.now();
    const checked = deps.check(batch.bytes, recordUnixNanos, deps.maxAgeSeconds);
    if (!checked.ok) throw new RefusalError({ code: 'malformed', message: checked.message });
    const { spans, rejected } = checked;
    const count = total(rejected);
    deps.ledger.received(batch.receiver, spans + count);
    countRejected(deps.ledger, rejected);
    if (spans > 0) await publish(deps, batch, recordUnixNanos, spans);
    const message = count > 0 ? rejectionMessage(rejected, deps.maxAgeSeconds) : '';
    return { spans, rejected: count, message } satisfies Accepted;
  };
}

async function publish(
  deps: AcceptDeps,
  batch: Batch,
  recordUnixNanos: bigint,
  spans: number,
): Promise<void> {
  try {
    await deps.publish({ tenant: batch.tenant, bytes: batch.bytes, recordUnixNanos, spans });
  } catch (error) {
    deps.ledger.refused(spans);
    throw error;
  }
}

function total(rejected: Readonly<Rejected>): number {
  return REJECT_REASONS.reduce((sum, reason) => sum + rejected[reason], 0);
}
