// Statements that read whole traces, and the resources and scopes that their spans name.

import { BUCKET_SECONDS } from './settled/buckets.ts';
import type { Statement, TraceKey } from './statement.ts';

/** Ids of 20 digits each as URL parameters: some 4 KB. */
export const IDS_PER_STATEMENT_MAX = 200;

/**
 * No skip index can narrow a look by id, and opening them costs 5 ms of 25. The cost of one trace
 * is opening 23 columns, which a second thread only does once more.
 */
const MANY_TRACES = { use_skip_indexes: 0 };
const ONE_TRACE = { ...MANY_TRACES, max_threads: 1 };

/** Rows of one content id are equal, so any will do; a shared half id does not make them equal. */
const IDENTITY = 'trace_lo, trace_hi, span_id, kind, h';

/**
 * All spans of the traces, each once by identity (design §4, P2), at most `spansMax` of a trace.
 * The days and times of a trace come from its summaries, so the key finds its few granules
 * whether it lasted a moment, three hours, or had a span that came two days late.
 */
export function tracesStatement(
  tenant: string,
  keys: readonly TraceKey[],
  spansMax: number,
): Statement {
  return {
    settings: keys.length === 1 ? ONE_TRACE : MANY_TRACES,
    sql: `SELECT *
FROM (
  SELECT trace_lo, trace_hi, span_id, parent_id, kind, h, ts, duration, service, name, status,
    status_message, flags, resource_id, scope_id, attr_s, attr_i, attr_d, attr_b, attr_x, events,
    links, rest
  FROM {db:Identifier}.spans
  PREWHERE tenant = {tenant:String}
    AND (toStartOfFiveMinutes(ts), trace_lo, trace_hi) IN (${bucketsOfTraces()})
  LIMIT 1 BY ${IDENTITY}
)
LIMIT {spansMax:UInt32} BY trace_lo, trace_hi`,
    params: { tenant, spansMax, ...keysParams(keys) },
  };
}

/** Columns span_id, kind and h: one trace's spans, each once by identity, at most `spansMax`. */
export function identitiesStatement(tenant: string, key: TraceKey, spansMax: number): Statement {
  return {
    settings: ONE_TRACE,
    sql: `SELECT span_id, kind, h
FROM {db:Identifier}.spans
PREWHERE tenant = {tenant:String}
  AND (toStartOfFiveMinutes(ts), trace_lo, trace_hi) IN (${bucketsOfTraces()})
LIMIT 1 BY ${IDENTITY}
LIMIT {spansMax:UInt32}`,
    params: { tenant, spansMax, ...keysParams([key]) },
  };
}

/**
 * The buckets of the key that the traces of `keysParams` reach into: (bucket, trace_lo, trace_hi),
 * for a statement whose tenant is a parameter.
 */
export function bucketsOfTraces(): string {
  return `
      SELECT toDateTime(arrayJoin(range(first, last + 1, ${BUCKET_SECONDS})), 'UTC'), trace_lo, trace_hi
      FROM (
        SELECT trace_lo, trace_hi,
          toUnixTimestamp(toStartOfFiveMinutes(min(start_time))) AS first,
          toUnixTimestamp(toStartOfFiveMinutes(max(end_time))) AS last
        FROM {db:Identifier}.trace_summaries
        WHERE tenant = {tenant:String}
          AND (trace_lo, trace_hi) IN arrayZip({lows:Array(UInt64)}, {highs:Array(UInt64)})
        GROUP BY day, trace_lo, trace_hi
      )
    `;
}

/** Parameters lows and highs. */
export function keysParams(keys: readonly TraceKey[]): Record<string, readonly bigint[]> {
  return { lows: keys.map((key) => key.low), highs: keys.map((key) => key.high) };
}

/** Columns id, bytes, schema_url. `days` are days since 1970, both inclusive. */
export function contentStatement(
  table: 'resources' | 'scopes',
  tenant: string,
  ids: readonly bigint[],
  days: { readonly first: number; readonly last: number },
): Statement {
  return {
    sql: `SELECT id, bytes, schema_url
FROM {db:Identifier}.${table}
WHERE tenant = {tenant:String}
  AND id IN {ids:Array(UInt64)}
  AND day >= toDate({firstDay:UInt16}) AND day <= toDate({lastDay:UInt16})
LIMIT 1 BY id`,
    params: { tenant, ids, firstDay: days.first, lastDay: days.last },
  };
}
