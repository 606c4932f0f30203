// From the records of a range to what is inserted for it. A pure function of the records and the
// settings: whoever repeats it, later and elsewhere, gets the same blocks under the same tokens.

import type { DeadLetter, DeadLetterReason } from '../../storage/dead_letter.ts';
import type { LoggedRecord, LogSource } from '../../storage/partition_log.ts';
import { type RangeRow, rangeKey } from '../../storage/range_store.ts';
import type { LogRecord } from '../../storage/span_log.ts';
import type { Block } from '../../storage/span_store.ts';
import type { Built } from '../build_blocks.ts';
import { hashRecords } from './hash_records.ts';
import { type Intent, ROWS_VERSION, type RowSettings } from './intent.ts';
import { sortRecord } from './sort_record.ts';

/** Makes blocks of records, in a worker. Rejects if the worker died: the call may be repeated. */
export type Build = (records: readonly LogRecord[], settings: RowSettings) => Promise<Built>;

export interface Range {
  readonly intent: Intent;
  readonly records: readonly LoggedRecord[];
  /** Offsets at its start that retention took; a range with any has no records. */
  readonly lost: number;
}

export interface Prepared {
  readonly intent: Intent;
  readonly blocks: readonly Block[];
  readonly deadLetters: readonly DeadLetter[];
  readonly row: RangeRow;
  readonly counts: Built['counts'] | undefined;
  /** Of the first record, for the age of what is not yet acknowledged; undefined: no records. */
  readonly oldestMs: number | undefined;
}

/** `buckets` reads which five-minute buckets blocks touch. Rejects as `build` does. */
export async function prepare(
  source: LogSource,
  range: Range,
  build: Build,
  buckets: (native: Uint8Array, into: Set<number>) => void,
): Promise<Prepared> {
  const { intent, records } = range;
  const { first, last, settings } = intent;
  const { encoding } = settings;
  const hash = hashRecords(records);
  const { good, dead } = sort(source, records, settings);
  const built = good.length === 0 ? undefined : await build(good.map(toLogRecord), settings);
  const touched = new Set<number>();
  for (const { native } of built?.blocks ?? []) buckets(native, touched);
  const failed = (built?.failed ?? []).flatMap((place) => {
    const record = good[place]?.record;
    if (record === undefined) return [];
    return [{ source, record, reason: 'malformed' as const, encoding }];
  });
  const deadLetters = [...dead, ...failed].sort((a, b) => a.record.offset - b.record.offset);
  const row: RangeRow = {
    source,
    first,
    last,
    hash,
    version: ROWS_VERSION,
    records: records.length,
    spans: built?.counts.spans ?? 0,
    rejected: aboveZero(built?.counts.rejected ?? {}),
    deadLettered: countReasons(deadLetters),
    lost: range.lost,
    buckets: [...touched].sort((a, b) => a - b),
  };
  const token = rangeKey(row);
  return {
    intent,
    blocks: (built?.blocks ?? []).map((block, i) => ({ token: `${token}:${i}`, ...block })),
    deadLetters,
    counts: built?.counts,
    oldestMs: records[0]?.timestampMs,
    row,
  };
}

interface Good {
  readonly record: LoggedRecord;
  readonly tenant: string;
}

interface Sorted {
  readonly good: readonly Good[];
  readonly dead: readonly DeadLetter[];
}

function sort(source: LogSource, records: readonly LoggedRecord[], settings: RowSettings): Sorted {
  const good: Good[] = [];
  const dead: DeadLetter[] = [];
  const { encoding } = settings;
  for (const record of records) {
    const sorted = sortRecord(record, settings);
    if (sorted.kind === 'spans') good.push({ record, tenant: sorted.tenant });
    else if (sorted.kind === 'dead') dead.push({ source, record, reason: sorted.reason, encoding });
    else throw new Error(`a record of version ${sorted.version} came into a range: a bug of ours`);
  }
  return { good, dead };
}

const NANOS_PER_MS = 1_000_000n;

function toLogRecord({ record, tenant }: Good): LogRecord {
  return {
    tenant,
    bytes: record.value ?? new Uint8Array(0),
    recordUnixNanos: BigInt(record.timestampMs) * NANOS_PER_MS,
    spans: 0,
  };
}

function aboveZero(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

function countReasons(letters: readonly DeadLetter[]): Record<string, number> {
  const counts: Partial<Record<DeadLetterReason, number>> = {};
  for (const { reason } of letters) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}
