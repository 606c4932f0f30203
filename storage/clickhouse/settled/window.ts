// The spans of a window of time, and what they need to know of the spans around it.

import type { Param, Statement } from '../statement.ts';
import { BUCKET_NANOS, BUCKET_SECONDS } from './buckets.ts';

export interface SpanWindow {
  readonly tenant: string;
  /** Starts of spans in Unix nanoseconds, both inclusive. */
  readonly fromUnixNanos: bigint;
  readonly toUnixNanos: bigint;
  /** Only traces whose low half lies here, both inclusive; all unless told. */
  readonly lows?: LowRange;
}

export interface LowRange {
  readonly from: bigint;
  readonly to: bigint;
}

export const ALL_LOWS: LowRange = { from: 0n, to: 2n ** 64n - 1n };

/** A parent that started longer before its child is not looked for: batch jobs of a morning. */
const FAR_BEFORE_NANOS = 36n * BUCKET_NANOS;
/** Clocks that differ by more than this make any order of spans meaningless. */
const FAR_AFTER_NANOS = BUCKET_NANOS;
const DAY_NANOS = 86_400_000_000_000n;

const NANOS = (name: string) => `fromUnixTimestamp64Nano({${name}:Int64}, 'UTC')`;

/** The condition on `spans` for those of the window; what reads it must bind windowParams(). */
export const IN_WINDOW = `tenant = {tenant:String}
    AND ts >= ${NANOS('from')} AND ts <= ${NANOS('to')}
    AND trace_lo >= {lowFrom:UInt64} AND trace_lo <= {lowTo:UInt64}`;

/** Traces of the window that reach over an end of it, with `first` and `last` start of a span. */
const CROSSING = `SELECT trace_lo, trace_hi, min(start_time) AS first, max(end_time) AS last
    FROM {db:Identifier}.trace_summaries
    WHERE tenant = {tenant:String}
      AND day >= toDate({firstDay:UInt16}) AND day <= toDate({lastDay:UInt16})
      AND trace_lo >= {lowFrom:UInt64} AND trace_lo <= {lowTo:UInt64}
    GROUP BY trace_lo, trace_hi
    HAVING first <= ${NANOS('to')} AND last >= ${NANOS('from')}
      AND (first < ${NANOS('from')} OR last > ${NANOS('to')})`;

const BUCKET_OF = (time: string) => `toUnixTimestamp(toStartOfFiveMinutes(${time}))`;

/** The buckets of crossing traces outside the window, as far as they matter; may repeat its own. */
const FAR = `SELECT toDateTime(arrayJoin(arrayConcat(
      if(first < ${NANOS('from')},
        range(${BUCKET_OF(`greatest(first, ${NANOS('farFrom')})`)},
          ${BUCKET_OF(NANOS('from'))} + 1, ${BUCKET_SECONDS}), []),
      if(last > ${NANOS('to')},
        range(${BUCKET_OF(NANOS('to'))},
          ${BUCKET_OF(`least(last, ${NANOS('farTo')})`)} + 1, ${BUCKET_SECONDS}), [])
    )), 'UTC') AS bucket, trace_lo, trace_hi
    FROM (${CROSSING})`;

/** Spans of the window, and those of the same traces around it, with the columns that are named. */
export function spansAround(columns: string): string {
  return `SELECT ${columns}
  FROM {db:Identifier}.spans
  WHERE ${IN_WINDOW}
  UNION ALL
  SELECT ${columns}
  FROM {db:Identifier}.spans
  WHERE tenant = {tenant:String}
    AND (toStartOfFiveMinutes(ts), trace_lo, trace_hi) IN (${FAR})
    AND (ts < ${NANOS('from')} OR ts > ${NANOS('to')})`;
}

/**
 * The buckets around a bucket that its spans may matter to: those behind it that its parents have
 * children in, and the one before it. Column bucket.
 */
export function lateBucketsStatement(window: SpanWindow): Statement {
  return {
    sql: `SELECT DISTINCT toDateTime(arrayJoin(arrayConcat(
  if(first < ${NANOS('from')}, [toUInt64(${BUCKET_OF(NANOS('from'))} - ${BUCKET_SECONDS})], []),
  if(last > ${NANOS('to')},
    range(${BUCKET_OF(NANOS('to'))} + ${BUCKET_SECONDS},
      ${BUCKET_OF(`least(last, ${NANOS('lateTo')})`)} + 1, ${BUCKET_SECONDS}), [])
)), 'UTC') AS bucket
FROM (${CROSSING})`,
    params: {
      ...windowParams(window),
      lateTo: clamp(window.toUnixNanos + FAR_BEFORE_NANOS),
      lastDay: dayOf(clamp(window.toUnixNanos + FAR_BEFORE_NANOS)),
    },
  };
}

export function windowParams(window: SpanWindow): Record<string, Param> {
  const { tenant, fromUnixNanos: from, toUnixNanos: to, lows = ALL_LOWS } = window;
  const [farFrom, farTo] = [clamp(from - FAR_BEFORE_NANOS), clamp(to + FAR_AFTER_NANOS)];
  return {
    tenant,
    from,
    to,
    farFrom,
    farTo,
    lowFrom: lows.from,
    lowTo: lows.to,
    firstDay: dayOf(farFrom),
    lastDay: dayOf(farTo),
  };
}

const INT64_MAX = 2n ** 63n - 1n;

function clamp(nanos: bigint): bigint {
  if (nanos > INT64_MAX) return INT64_MAX;
  return nanos < -INT64_MAX ? -INT64_MAX : nanos;
}

function dayOf(nanos: bigint): number {
  const day = Number(nanos / DAY_NANOS);
  return Math.min(Math.max(day, 0), 0xffff);
}
