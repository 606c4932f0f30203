// Which service calls which, and how often, computed from the spans of a window.

import type { Param, Statement } from './statement.ts';

export interface DependencyFilter {
  readonly tenant: string;
  /** Starts of spans, both inclusive. */
  readonly fromUnixNanos: bigint;
  readonly toUnixNanos: bigint;
  /** Only edges from or to this service. */
  readonly service?: string;
}

/** OTLP SpanKind. */
const SERVER = 2;
const CLIENT = 3;

/**
 * Columns parent, child, calls (UInt64), sorted by parent and child. A call is a span whose parent
 * is of another service, counted once by trace and span id, however often it was sent. Where a
 * client and a server span share one id (Zipkin's way), that is a call, too: the client hangs on the
 * parent, and children hang on the server.
 */
export function dependencyStatement(filter: DependencyFilter, edgesMax: number): Statement {
  const { tenant, fromUnixNanos, toUnixNanos, service } = filter;
  const params: Record<string, Param> = { tenant, from: fromUnixNanos, to: toUnixNanos, edgesMax };
  if (service !== undefined) params['service'] = service;
  const ofService =
    service === undefined ? '' : '\n  AND (parent = {service:String} OR child = {service:String})';
  return {
    sql: `WITH nodes AS (
  SELECT trace_lo, trace_hi, span_id,
    max(parent_id) AS parent_id,
    countIf(kind = ${CLIENT}) > 0 AND countIf(kind = ${SERVER}) > 0 AS shared,
    if(shared, anyIf(service, kind = ${CLIENT}), any(service)) AS upper,
    if(shared, anyIf(service, kind = ${SERVER}), any(service)) AS lower
  FROM {db:Identifier}.spans
  WHERE tenant = {tenant:String}
    AND ts >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
    AND ts <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')
  GROUP BY trace_lo, trace_hi, span_id
)
SELECT parent, child, count() AS calls
FROM (
  SELECT above.lower AS parent, below.upper AS child
  FROM nodes AS below
  INNER JOIN nodes AS above ON above.trace_lo = below.trace_lo
    AND above.trace_hi = below.trace_hi AND above.span_id = below.parent_id
  UNION ALL
  SELECT upper AS parent, lower AS child FROM nodes WHERE shared
)
WHERE parent != child${ofService}
GROUP BY parent, child
ORDER BY parent, child
LIMIT {edgesMax:UInt32}`,
    params,
  };
}
