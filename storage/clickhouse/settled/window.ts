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

/** Parent and child that started further apart are not looked for: three hours, a long batch job. */
const FAR_NANOS = 36n * BUCKET_NANOS;
/** A child that starts so soon behind a bucket has come when that is settled: the least delay. */
export const SOON_SECONDS = 60;
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

/** Buckets behind one that children may be in of parents that came late to it. Column bucket. */
export function laterBucketsStatement(window: SpanWindow): Statement {
  const lateTo = clamp(window.toUnixNanos + FAR_NANOS);
  return {
    sql: `SELECT DISTINCT toDateTime(arrayJoin(range(
  ${BUCKET_OF(NANOS('to'))} + ${BUCKET_SECONDS},
  ${BUCKET_OF(`least(last, ${NANOS('lateTo')})`)} + 1, ${BUCKET_SECONDS})), 'UTC') AS bucket
FROM (${CROSSING})
WHERE last > ${NANOS('to')}`,
    params: {
      ...windowParams(window),
      lateTo,
      firstDay: dayOf(window.fromUnixNanos),
      lastDay: dayOf(lateTo),
    },
  };
}

/**
 * Buckets before one with client spans that have a child in it, which may have been settled without
 * that child (by Zipkin's rules a client yields to the server that it called): for the spans of a
 * bucket that came late (`late`) all of them, else those whose child was long in coming. Column bucket.
 */
export function clientBucketsStatement(window: SpanWindow, late: boolean): Statement {
  return {
    sql: `SELECT DISTINCT toStartOfFiveMinutes(above.ts) AS bucket
FROM (
  SELECT trace_lo, trace_hi, arrayJoin([span_id, parent_id]) AS id, ts
  FROM {db:Identifier}.spans
  WHERE ${IN_WINDOW}
    AND (trace_lo, trace_hi) IN (SELECT trace_lo, trace_hi FROM (${CROSSING}))
) AS below
INNER JOIN (
  SELECT trace_lo, trace_hi, span_id, ts
  FROM {db:Identifier}.spans
  WHERE tenant = {tenant:String}
    AND (toStartOfFiveMinutes(ts), trace_lo, trace_hi) IN (${FAR})
    AND ts < ${NANOS('from')} AND kind = 3
) AS above ON above.trace_lo = below.trace_lo AND above.trace_hi = below.trace_hi
  AND above.span_id = below.id
WHERE below.ts >= addSeconds(toStartOfFiveMinutes(above.ts), {soon:UInt32})`,
    params: { ...aroundParams(window), soon: late ? 0 : BUCKET_SECONDS + SOON_SECONDS },
  };
}

/** What IN_WINDOW binds. */
export function windowParams(window: SpanWindow): Record<string, Param> {
  const { tenant, fromUnixNanos: from, toUnixNanos: to, lows = ALL_LOWS } = window;
  return { tenant, from, to, lowFrom: lows.from, lowTo: lows.to };
}

/** What spansAround() binds. */
export function aroundParams(window: SpanWindow): Record<string, Param> {
  const farFrom = clamp(window.fromUnixNanos - FAR_NANOS);
  const farTo = clamp(window.toUnixNanos + FAR_NANOS);
  const days = { firstDay: dayOf(farFrom), lastDay: dayOf(farTo) };
  return { ...windowParams(window), ...days, farFrom, farTo };
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
