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
 * Each span is put down twice, under its own id and its parent's, and both are grouped, so that the
 * spans are read once, where a join of them with themselves reads them three times. All choices are
 * by order, never "any": another order of the same rows changes nothing.
 */
export function spanEdgesStatement(window: SpanWindow): Statement {
  const columns = 'trace_lo, trace_hi, span_id, parent_id, kind, ts, service, status';
  return {
    sql: `SELECT toString(edge.1) AS parent, toString(edge.2) AS child,
  count() AS calls, countIf(edge.3) AS errors
FROM (
  SELECT arrayJoin(arrayConcat(if(parents = 0, [], arrayMap(call -> (parent, call.1, call.2), calls)), own)) AS edge
  FROM (
    SELECT minIf(lower, isSelf) AS parent, countIf(isSelf) AS parents,
      groupArrayIf((upper, failed), NOT isSelf AND ${isAsked('upper_ts')}) AS calls,
      groupArrayIf((upper, lower, failed), isSelf AND shared AND ${isAsked('lower_ts')}) AS own
    FROM (
      SELECT *, arrayJoin([(span_id, 1), (parent_id, 0)]) AS end, end.1 AS id, end.2 = 1 AS isSelf
      FROM (
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
    )
    GROUP BY trace_lo, trace_hi, id
  )
)
WHERE edge.1 != edge.2
GROUP BY parent, child`,
    params: aroundParams(window),
  };
}

function isAsked(time: string): string {
  return `${time} >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
        AND ${time} <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')`;
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
