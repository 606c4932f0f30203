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
import { publishParts } from './publish_parts.ts';
import { type OverRecord, rejectionMessage } from './rejection_message.ts';

export interface AcceptDeps {
  /** The walk over OTLP bytes (model/codec/otlp/transcoder.ts). */
  readonly check: (
    bytes: Uint8Array,
    recordUnixNanos: bigint,
    maxAgeSeconds: number,
  ) => CheckResult;
  readonly publish: Publish;
  /** Larger batches are published in parts of at most so many bytes. Absent: any size will do. */
  readonly recordBytesMax?: number;
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
    const over = spans > 0 ? await publish(deps, batch, recordUnixNanos, spans) : NONE_OVER;
    const message =
      count + over.spans > 0 ? rejectionMessage(rejected, deps.maxAgeSeconds, over) : '';
    return {
      spans: spans - over.spans,
      rejected: count + over.spans,
      message,
    } satisfies Accepted;
  };
}

const NONE_OVER: OverRecord = { spans: 0, bytesMax: 0 };

/** Answers what fitted into no record: rejected, and told so. */
async function publish(
  deps: AcceptDeps,
  batch: Batch,
  recordUnixNanos: bigint,
  spans: number,
): Promise<OverRecord> {
  const { tenant, bytes } = batch;
  const record = { tenant, bytes, recordUnixNanos, spans };
  try {
    const bytesMax = deps.recordBytesMax ?? bytes.length;
    if (bytes.length <= bytesMax) {
      await deps.publish(record);
      return NONE_OVER;
    }
    const published = await publishParts(record, {
      bytesMax,
      publish: deps.publish,
      countSpans: (part) => countKept(deps, part, recordUnixNanos),
    });
    const over = spans - published;
    if (over > 0) deps.ledger.rejected('over_record', over);
    return { spans: over, bytesMax };
  } catch (error) {
    deps.ledger.refused(spans);
    throw error;
  }
}

/** A part of checked bytes is well-formed; some of its spans may have been rejected before. */
function countKept(deps: AcceptDeps, part: Uint8Array, recordUnixNanos: bigint): number {
  const checked = deps.check(part, recordUnixNanos, deps.maxAgeSeconds);
  if (!checked.ok) throw new Error('a part of a well-formed request is malformed');
  return checked.spans;
}

function total(rejected: Readonly<Rejected>): number {
  return REJECT_REASONS.reduce((sum, reason) => sum + rejected[reason], 0);
}
