// Whether a transcoder says what the twin says of the same records.

import { isDeepStrictEqual } from 'node:util';
import { type CheckResult, REJECT_REASONS } from '../check_result.ts';
import { MalformedError } from '../twin/wire.ts';
import { checkTwin, type TwinCounts, type TwinRecord, transcodeTwin } from '../twin.ts';

/** What the twin is compared with: the WebAssembly transcoder, or a faulty one in a test. */
export interface ComparedTranscoder {
  check(bytes: Uint8Array, recordUnixNanos: bigint, maxAgeSeconds: number): CheckResult;
  /** Throws where a record is malformed. */
  transcode(
    records: readonly TwinRecord[],
    options: { readonly maxAgeSeconds: number },
  ): {
    readonly blocks: readonly { readonly native: Uint8Array; readonly rows: number }[];
    readonly counts: TwinCounts;
  };
}

interface Agreement {
  /** What differs, in words; undefined where nothing does. */
  readonly difference: string | undefined;
  readonly malformed: boolean;
  /** Spans kept. */
  readonly spans: number;
}

/** Compares the checks of each record, and every byte of the blocks of all of them. */
export function compareWithTwin(
  transcoder: ComparedTranscoder,
  records: readonly TwinRecord[],
  maxAgeSeconds: number,
): Agreement {
  let malformed = false;
  for (const { bytes, recordUnixNanos } of records) {
    const expected = checkTwin(bytes, { recordUnixNanos, maxAgeSeconds });
    const actual = transcoder.check(bytes, recordUnixNanos, maxAgeSeconds);
    const difference = checkDifference(expected, actual);
    if (difference !== undefined) return { difference, malformed, spans: 0 };
    malformed ||= !expected.ok;
  }
  if (malformed) {
    const difference = throws(transcoder, records, maxAgeSeconds)
      ? undefined
      : 'transcode: expected a refusal of malformed bytes, none came';
    return { difference, malformed, spans: 0 };
  }
  const expected = transcodeTwin(records, { maxAgeSeconds });
  const actual = transcoder.transcode(records, { maxAgeSeconds });
  const spans = expected.counts.spans;
  if (!isDeepStrictEqual({ ...actual.counts }, expected.counts)) {
    const difference = `counts: expected ${show(expected.counts)}, came ${show(actual.counts)}`;
    return { difference, malformed, spans };
  }
  const lengths = [expected.blocks.length, actual.blocks.length];
  if (lengths[0] !== lengths[1]) {
    return { difference: `blocks: expected ${lengths[0]}, came ${lengths[1]}`, malformed, spans };
  }
  const differences = expected.blocks.map((block, i) => {
    const other = actual.blocks[i] ?? { native: new Uint8Array(0), rows: 0 };
    return blockDifference(i, block, other);
  });
  return { difference: differences.find((text) => text !== undefined), malformed, spans };
}

/** True for the error that says that a record is malformed; any other one is thrown on. */
function throws(
  transcoder: ComparedTranscoder,
  records: readonly TwinRecord[],
  maxAgeSeconds: number,
): boolean {
  try {
    transcoder.transcode(records, { maxAgeSeconds });
    return false;
  } catch (error) {
    if (error instanceof MalformedError || isMalformed(error)) return true;
    throw error;
  }
}

function isMalformed(error: unknown): boolean {
  return error instanceof Error && /malformed/i.test(`${error.name} ${error.message}`);
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
