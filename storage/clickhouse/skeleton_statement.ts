// The statement that reads the skeletons of many traces.

import { BUCKET_SECONDS } from './settled/buckets.ts';
import type { Statement, TraceKey } from './statement.ts';

/**
 * Their ids travel as one text, 21 characters each; ClickHouse reads at most 256 KiB of a query
 * with its parameters, and a statement costs 15 ms of CPU before it reads anything.
 */
export const SKELETON_TRACES_MAX = 10_000;

/** Days since 1970, both inclusive. */
export interface DayRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Larger blocks than a reader of whole spans wants: 160 ms of CPU of the store for 20,000 traces
 * (470,000 rows), where blocks of 4,096 rows take 220. Their columns are cut out of the answer in
 * a millisecond all the same. No skip index can narrow a look by id.
 */
const SETTINGS = { max_block_size: 16_384, use_skip_indexes: 0 };

/**
 * Columns trace_lo, trace_hi, span_id, parent_id, h, ts, duration, service, name, kind, status; at
 * most `rowsMax`, in no order, what was sent twice twice (to drop it here costs 80 ms of 170). Of
 * each trace the rows of the days; which hours of them, its summaries tell.
 */
export function skeletonStatement(
  tenant: string,
  keys: readonly TraceKey[],
  days: DayRange,
  rowsMax: number,
): Statement {
  return {
    settings: SETTINGS,
    sql: `SELECT trace_lo, trace_hi, span_id, parent_id, h, ts, duration, service, name, kind, status
FROM {db:Identifier}.spans
WHERE tenant = {tenant:String}
  AND (toStartOfFiveMinutes(ts), trace_lo, trace_hi) IN (
    SELECT toDateTime(arrayJoin(range(first, last + 1, ${BUCKET_SECONDS})), 'UTC'), trace_lo, trace_hi
    FROM (
      SELECT trace_lo, trace_hi,
        toUnixTimestamp(toStartOfFiveMinutes(min(start_time))) AS first,
        toUnixTimestamp(toStartOfFiveMinutes(max(end_time))) AS last
      FROM {db:Identifier}.trace_summaries
      WHERE tenant = {tenant:String}
        AND day >= toDate({firstDay:UInt16}) AND day <= toDate({lastDay:UInt16})
        AND (trace_lo, trace_hi) IN (
          SELECT reinterpretAsUInt64(substring(packed, n * 16 + 1, 8)),
            reinterpretAsUInt64(substring(packed, n * 16 + 9, 8))
          FROM (SELECT base64URLDecode({keys:String}) AS packed, arrayJoin(range({count:UInt32})) AS n)
        )
      GROUP BY day, trace_lo, trace_hi
    )
  )
LIMIT {rowsMax:UInt32}`,
    params: {
      tenant,
      keys: packed(keys),
      count: keys.length,
      firstDay: days.first,
      lastDay: days.last,
      rowsMax,
    },
  };
}

/** Of each trace the low half, then the high one, 8 bytes each, low byte first; as base64url. */
function packed(keys: readonly TraceKey[]): string {
  const numbers = new BigUint64Array(keys.length * 2);
  for (const [i, { low, high }] of keys.entries()) {
    numbers[2 * i] = low;
    numbers[2 * i + 1] = high;
  }
  return Buffer.from(numbers.buffer).toString('base64url');
}
