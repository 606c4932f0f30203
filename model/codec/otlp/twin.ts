// The slow and obvious implementation of README.md: the oracle that the WebAssembly one is compared
// with, in tests only.

import { type CheckResult, noneRejected, type Rejected } from './check_result.ts';
import { blocksOf, type TwinBlock } from './twin/blocks.ts';
import { LIMITS, type Limits } from './twin/limits.ts';
import { rejectReason, type Window } from './twin/reject.ts';
import { readRequest, type TwinSpan } from './twin/request.ts';
import { type Losses, type Row, rowOf } from './twin/row.ts';
import { MalformedError } from './twin/wire.ts';

export interface TwinRecord {
  readonly tenant: string;
  /** ExportTraceServiceRequest. */
  readonly bytes: Uint8Array;
  readonly recordUnixNanos: bigint;
}

export interface TwinCounts extends Losses {
  spans: number;
  rejected: Rejected;
}

export interface TwinResult {
  readonly blocks: readonly TwinBlock[];
  readonly counts: TwinCounts;
}

interface CheckOptions extends Window {
  readonly limits?: Partial<Limits>;
}

interface TranscodeOptions {
  readonly maxAgeSeconds: number;
  /** Instead of BLOCK_ROWS_MAX. */
  readonly blockRowsMax?: number;
  /** Rows of each block, where they shall be those of another transcoder. */
  readonly blockRows?: readonly number[];
  readonly limits?: Partial<Limits>;
}

/** What would become of a request's spans. */
export function checkTwin(bytes: Uint8Array, options: CheckOptions): CheckResult {
  const limits = { ...LIMITS, ...options.limits };
  try {
    const rejected = noneRejected();
    const kept = keepSpans(readRequest(bytes, limits), options, limits, rejected);
    return { ok: true, spans: kept.length, rejected };
  } catch (error) {
    if (error instanceof MalformedError) {
      return { ok: false, reason: 'malformed', message: error.message };
    }
    throw error;
  }
}

/** Records to Native blocks of `spans_in`. Throws MalformedError when a record is malformed. */
export function transcodeTwin(
  records: readonly TwinRecord[],
  options: TranscodeOptions,
): TwinResult {
  const limits: Limits = {
    ...LIMITS,
    ...(options.blockRowsMax === undefined ? {} : { BLOCK_ROWS_MAX: options.blockRowsMax }),
    ...options.limits,
  };
  const { rows, counts } = rowsTwin(records, options.maxAgeSeconds, limits);
  return { blocks: blocksOf(rows, limits, options.blockRows), counts };
}

/** The rows behind the blocks, in the order of the input. Throws MalformedError. */
export function rowsTwin(
  records: readonly TwinRecord[],
  maxAgeSeconds: number,
  limits: Limits = LIMITS,
): { rows: Row[]; counts: TwinCounts } {
  const rejected = noneRejected();
  const losses = { droppedAttributes: 0, droppedEvents: 0, droppedLinks: 0, cutValues: 0 };
  const rows = records.flatMap(({ tenant, bytes, recordUnixNanos }) => {
    const window = { recordUnixNanos, maxAgeSeconds };
    const kept = keepSpans(readRequest(bytes, limits), window, limits, rejected);
    return kept.map((span) => rowOf(span, tenant, limits, losses));
  });
  return { rows, counts: { spans: rows.length, rejected, ...losses } };
}

function keepSpans(
  spans: readonly TwinSpan[],
  window: Window,
  limits: Limits,
  rejected: Rejected,
): TwinSpan[] {
  return spans.filter((span) => {
    const reason = rejectReason(span, window, limits);
    if (reason !== undefined) rejected[reason]++;
    return reason === undefined;
  });
}
