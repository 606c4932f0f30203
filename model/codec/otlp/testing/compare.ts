// Whether a transcoder says what the twin says of the same records.

import { isDeepStrictEqual } from 'node:util';
import { type CheckResult, REJECT_REASONS } from '../check_result.ts';
import { checkTwin, type TwinCounts, type TwinRecord, transcodeTwin } from '../twin.ts';

export interface CompareOptions {
  readonly maxAgeSeconds: number;
  readonly blockRowsMax?: number;
  /** The transcoder may cut blocks earlier than the twin, as it does where its buffer is full. */
  readonly cutsEarlier?: boolean;
}

/** What the twin is compared with: the WebAssembly transcoder, or a faulty one in a test. */
export interface ComparedTranscoder {
  check(bytes: Uint8Array, recordUnixNanos: bigint, maxAgeSeconds: number): CheckResult;
  /** Is given well-formed records only. */
  transcode(
    records: readonly TwinRecord[],
    options: CompareOptions,
  ): {
    readonly blocks: readonly { readonly native: Uint8Array; readonly rows: number }[];
    readonly counts: Readonly<TwinCounts>;
  };
}

interface Agreement {
  /** What differs, in words; undefined where nothing does. */
  readonly difference: string | undefined;
  /** Records that both refused. */
  readonly malformed: number;
  /** Spans kept. */
  readonly spans: number;
}

/** Compares the checks of each record, and every byte of the blocks of all that are well formed. */
export function compareWithTwin(
  transcoder: ComparedTranscoder,
  records: readonly TwinRecord[],
  options: CompareOptions,
): Agreement {
  const wellFormed: TwinRecord[] = [];
  for (const record of records) {
    const { bytes, recordUnixNanos } = record;
    const expected = checkTwin(bytes, { recordUnixNanos, maxAgeSeconds: options.maxAgeSeconds });
    const actual = transcoder.check(bytes, recordUnixNanos, options.maxAgeSeconds);
    const difference = checkDifference(expected, actual);
    if (difference !== undefined) return { difference, malformed: 0, spans: 0 };
    if (expected.ok) wellFormed.push(record);
  }
  const actual = transcoder.transcode(wellFormed, options);
  const cuts = options.cutsEarlier ? { blockRows: actual.blocks.map(({ rows }) => rows) } : {};
  const expected = transcodeTwin(wellFormed, { ...options, ...cuts });
  return {
    difference: transcodeDifference(expected, actual),
    malformed: records.length - wellFormed.length,
    spans: expected.counts.spans,
  };
}

function transcodeDifference(
  expected: ReturnType<ComparedTranscoder['transcode']>,
  actual: ReturnType<ComparedTranscoder['transcode']>,
): string | undefined {
  if (!isDeepStrictEqual({ ...actual.counts }, { ...expected.counts })) {
    return `counts: expected ${show(expected.counts)}, came ${show(actual.counts)}`;
  }
  if (expected.blocks.length !== actual.blocks.length) {
    return `blocks: expected ${expected.blocks.length}, came ${actual.blocks.length}`;
  }
  for (const [i, block] of expected.blocks.entries()) {
    const other = actual.blocks[i] ?? { native: new Uint8Array(0), rows: 0 };
    const difference = blockDifference(i, block, other);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function checkDifference(expected: CheckResult, actual: CheckResult): string | undefined {
  if (!expected.ok || !actual.ok) {
    if (expected.ok === actual.ok) return undefined;
    return `check: expected ${show(expected)}, came ${show(actual)}`;
  }
  const same =
    expected.spans === actual.spans &&
    REJECT_REASONS.every((reason) => expected.rejected[reason] === actual.rejected[reason]);
  return same ? undefined : `check: expected ${show(expected)}, came ${show(actual)}`;
}

function blockDifference(
  index: number,
  expected: { native: Uint8Array; rows: number },
  actual: { native: Uint8Array; rows: number },
): string | undefined {
  if (expected.rows !== actual.rows) {
    return `block ${index}: expected ${expected.rows} rows, came ${actual.rows}`;
  }
  if (Buffer.compare(expected.native, actual.native) === 0) return undefined;
  const at = expected.native.findIndex((byte, i) => byte !== actual.native[i]);
  const place = at < 0 ? expected.native.length : at;
  return (
    `block ${index}, byte ${place} (column ${columnAt(expected.native, place)}): ` +
    `expected ${around(expected.native, place)}, came ${around(actual.native, place)}; ` +
    `lengths ${expected.native.length} and ${actual.native.length}`
  );
}

/** The last column name that is written before that place; a guess, for the reader of a report. */
function columnAt(native: Uint8Array, place: number): string {
  const before = Buffer.from(native.subarray(0, place)).toString('latin1');
  const names = before.matchAll(
    /([a-z_]{1,24}).(?:LowCard|UInt|Int64|DateTime|String|Map\(|Array\()/gs,
  );
  return [...names].at(-1)?.[1] ?? '?';
}

function around(native: Uint8Array, place: number): string {
  return Buffer.from(native.subarray(Math.max(0, place - 8), place + 16)).toString('hex');
}

function show(value: unknown): string {
  return JSON.stringify(value);
}
