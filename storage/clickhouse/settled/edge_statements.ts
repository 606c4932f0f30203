// Which service calls which, and how often: computed from spans, and read where it is settled.

import type { Statement } from '../statement.ts';
import { BUCKET_SECONDS } from './buckets.ts';
import { aroundParams, type SpanWindow, spansAround } from './window.ts';

/** OTLP SpanKind. */
const SERVER = 2;
const CLIENT = 3;

/** Whose rules an edge follows: the two count differently what is a call. */
export type EdgeSource = 'jaeger' | 'zipkin';

/**
 * Columns parent, child, calls, errors (UInt64), in no order. A call is a span whose parent is of
 * another service, counted once by trace and span id, however often it was sent, at the time of the
 * child; the parent may lie before or behind the window. Where a client and a server span share one
 * id (Zipkin's way), that is a call, too: the client hangs on the parent, children on the server.
 * All choices are by order, never "any", so that another order of the same rows changes nothing.
 */
export function spanEdgesStatement(window: SpanWindow): Statement {
  const columns = 'trace_lo, trace_hi, span_id, parent_id, kind, ts, service, status';
  return {
    sql: `WITH nodes AS (
  SELECT trace_lo, trace_hi, span_id,
    max(parent_id) AS parent_id,
    countIf(kind = ${CLIENT}) > 0 AND countIf(kind = ${SERVER}) > 0 AS shared,
    if(shared, minIf(service, kind = ${CLIENT}), min(service)) AS upper,
    if(shared, minIf(service, kind = ${SERVER}), min(service)) AS lower,
    if(shared, minIf(ts, kind = ${CLIENT}), min(ts)) AS upper_ts,
    if(shared, minIf(ts, kind = ${SERVER}), min(ts)) AS lower_ts,
    max(status) = 2 AS failed
  FROM (${spansAround(columns)})
  GROUP BY trace_lo, trace_hi, span_id
)
SELECT toString(parent) AS parent, toString(child) AS child, count() AS calls, countIf(failed) AS errors
FROM (
  SELECT above.lower AS parent, below.upper AS child, below.failed AS failed, below.upper_ts AS at
  FROM nodes AS below
  INNER JOIN nodes AS above ON above.trace_lo = below.trace_lo
    AND above.trace_hi = below.trace_hi AND above.span_id = below.parent_id
  UNION ALL
  SELECT upper AS parent, lower AS child, failed, lower_ts AS at FROM nodes WHERE shared
)
WHERE parent != child
  AND at >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
  AND at <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')
GROUP BY parent, child`,
    params: aroundParams(window),
  };
}

/** Settled numbers of whole buckets; `except` are stretches that are counted from spans instead. */
export interface SettledWindow {
  readonly tenant: string;
  /** Unix seconds of the starts of buckets, both inclusive. */
  readonly firstBucket: number;
  readonly lastBucket: number;
  readonly except: readonly { readonly firstBucket: number; readonly lastBucket: number }[];
}

/** The condition on a table of settled numbers; what reads it must bind settledParams(). */
export const IN_SETTLED = `tenant = {tenant:String}
  AND (bucket, version) IN (
    SELECT bucket, max(version) FROM {db:Identifier}.settled
    WHERE tenant = {tenant:String}
      AND bucket >= toDateTime({first:UInt32}) AND bucket <= toDateTime({last:UInt32})
    GROUP BY bucket
  )
  AND bucket >= toDateTime({first:UInt32}) AND bucket <= toDateTime({last:UInt32})
  AND NOT arrayExists((f, l) -> toUnixTimestamp(bucket) >= f AND toUnixTimestamp(bucket) <= l,
    {exceptFirst:Array(UInt64)}, {exceptLast:Array(UInt64)})`;

export function settledParams(window: SettledWindow): Statement['params'] {
  const { tenant, firstBucket, lastBucket, except } = window;
  return {
    tenant,
    first: firstBucket,
    last: lastBucket,
    exceptFirst: except.map((run) => BigInt(run.firstBucket)),
    exceptLast: except.map((run) => BigInt(run.lastBucket)),
  };
}

/** Columns as spanEdgesStatement. */
export function settledEdgesStatement(window: SettledWindow, source: EdgeSource): Statement {
  return {
    sql: `SELECT toString(parent) AS parent, toString(child) AS child,
  sum(calls) AS calls, sum(errors) AS errors
FROM {db:Identifier}.edges
WHERE ${IN_SETTLED}
  AND source = {source:String}
GROUP BY parent, child`,
    params: { ...settledParams(window), source },
  };
}

/** Spans of one bucket as a window. */
export function bucketWindow(tenant: string, bucket: number): SpanWindow {
  const from = BigInt(bucket) * 1_000_000_000n;
  const to = BigInt(bucket + BUCKET_SECONDS) * 1_000_000_000n - 1n;
  return { tenant, fromUnixNanos: from, toUnixNanos: to };
}
