// Five-minute buckets of spans: which are settled, which have got spans since, which are due.

import type { NativeBlock } from '../native_column.ts';
import type { Statement } from '../statement.ts';

/** One bucket of the primary key of `spans`, of the ledger, and of what is settled at a time. */
export const BUCKET_SECONDS = 300;
export const BUCKET_NANOS = 300_000_000_000n;

/**
 * What `touched` and `settled` say together; `seen` and `at` are 1970 where never settled. A bucket
 * may have been asked for that never had a span.
 */
const STATES = (
  where: string,
) => `SELECT tenant, bucket, spans_at, greatest(spans_at, asked_at) AS dirty_at,
    version, times, seen, at
  FROM (
    SELECT tenant, bucket, max(spans_at) AS spans_at, max(asked_at) AS asked_at
    FROM {db:Identifier}.touched ${where} GROUP BY tenant, bucket
  ) AS t
  LEFT JOIN (
    SELECT tenant, bucket, max(s.version) AS version, count() AS times,
      argMax(s.seen_at, s.version) AS seen, argMax(s.settled_at, s.version) AS at
    FROM {db:Identifier}.settled AS s ${where} GROUP BY tenant, bucket
  ) AS s USING (tenant, bucket)
  WHERE spans_at > toDateTime64(0, 3, 'UTC')`;

export interface BucketState {
  /** Unix seconds of its start. */
  readonly bucket: number;
  /** Numbers of it are stored. */
  readonly settled: boolean;
  /** They hold all spans that are there. */
  readonly clean: boolean;
}

/** Buckets with spans that start in [firstBucket, lastBucket] (Unix seconds), ascending. */
export function bucketStatesStatement(
  tenant: string,
  firstBucket: number,
  lastBucket: number,
): Statement {
  return {
    sql: `SELECT toUnixTimestamp(bucket) AS bucket, version > 0 AS settled, seen >= dirty_at AS clean
FROM (
  ${STATES('WHERE tenant = {tenant:String} AND bucket >= toDateTime({first:UInt32}) AND bucket <= toDateTime({last:UInt32})')}
)
ORDER BY bucket`,
    params: { tenant, first: firstBucket, last: lastBucket },
  };
}

export function readBucketStates(blocks: Iterable<NativeBlock>): BucketState[] {
  const states: BucketState[] = [];
  for (const block of blocks) {
    const [bucket, settled] = [block.numbers('bucket'), block.numbers('settled')];
    const clean = block.numbers('clean');
    for (let i = 0; i < block.rows; i++) {
      states.push({ bucket: bucket[i]!, settled: settled[i] === 1, clean: clean[i] === 1 });
    }
  }
  return states;
}

export interface DueOptions {
  /** The store's clock, in milliseconds since 1970. */
  readonly nowUnixMs: number;
  /** How long after its end a bucket is left alone. */
  readonly delayMs: number;
  readonly limit: number;
}

/** A bucket that gets spans all day is settled some five times, not hundreds of times. */
const AGAIN_SECONDS_MIN = 300;
const AGAIN_GROWTH = 4;
const AGAIN_POWER_MAX = 4;

/**
 * Buckets to settle, the newest first: closed, with spans that no settled numbers hold, and not
 * settled just now. `late` are those that got spans after their time, so that buckets beside them
 * may have been settled without these. Columns tenant, bucket, spans_at (ms), late, again; `left`
 * is how many there are in all, `oldest` the start of the oldest.
 */
export function dueStatement({ nowUnixMs, delayMs, limit }: DueOptions): Statement {
  return {
    sql: `SELECT tenant, toUnixTimestamp(bucket) AS bucket, toUnixTimestamp64Milli(spans_at) AS spans_at,
  spans_at > addMilliseconds(toDateTime64(bucket, 3, 'UTC'), ${BUCKET_SECONDS * 1000} + {delay:UInt32}) AS late,
  version > 0 AS again,
  count() OVER () AS left,
  toUnixTimestamp(min(bucket) OVER ()) AS oldest
FROM (
  ${STATES('')}
)
WHERE dirty_at > seen
  AND addMilliseconds(toDateTime64(bucket, 3, 'UTC'), ${BUCKET_SECONDS * 1000} + {delay:UInt32})
    <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
  AND (times = 0 OR addSeconds(at,
    toUInt32(${AGAIN_SECONDS_MIN} * pow(${AGAIN_GROWTH}, least(times - 1, ${AGAIN_POWER_MAX}))))
    <= fromUnixTimestamp64Milli({now:Int64}, 'UTC'))
ORDER BY bucket DESC, tenant
LIMIT {limit:UInt32}`,
    params: { now: BigInt(Math.floor(nowUnixMs)), delay: Math.floor(delayMs), limit },
  };
}

export interface DueBucket {
  readonly tenant: string;
  /** Unix seconds of its start. */
  readonly bucket: number;
  /** When its last spans came, in milliseconds since 1970. */
  readonly spansAtUnixMs: number;
  readonly late: boolean;
  /** It was settled before. */
  readonly again: boolean;
}

export interface Due {
  readonly buckets: readonly DueBucket[];
  /** Of all that are due, those beyond the limit included. */
  readonly left: number;
  /** Unix seconds; undefined when none is due. */
  readonly oldestBucket: number | undefined;
}

export function readDue(blocks: Iterable<NativeBlock>): Due {
  const buckets: DueBucket[] = [];
  let [left, oldestBucket] = [0, undefined as number | undefined];
  for (const block of blocks) {
    const tenants = block.strings('tenant');
    const [bucket, late, again] = ['bucket', 'late', 'again'].map((name) => block.numbers(name));
    const spansAt = block.bigs('spans_at');
    for (let i = 0; i < block.rows; i++) {
      left = Number(block.bigs('left')[i]);
      oldestBucket = block.numbers('oldest')[i];
      buckets.push({
        tenant: tenants.at(i),
        bucket: bucket![i]!,
        spansAtUnixMs: Number(spansAt[i]),
        late: late![i] === 1,
        again: again![i] === 1,
      });
    }
  }
  return { buckets, left, oldestBucket };
}
