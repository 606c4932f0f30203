SELECT toUnixTimestamp(bucket) AS bucket, version > 0 AS settled, seen >= dirty_at AS clean
FROM (
  SELECT tenant, bucket, spans_at, greatest(spans_at, asked_at) AS dirty_at,
    version, times, seen, at
  FROM (
    SELECT tenant, bucket, max(spans_at) AS spans_at, max(asked_at) AS asked_at
    FROM {db:Identifier}.touched WHERE tenant = {tenant:String} AND bucket >= toDateTime({first:UInt32}) AND bucket <= toDateTime({last:UInt32}) GROUP BY tenant, bucket
  ) AS t
  LEFT JOIN (
    SELECT tenant, bucket, max(s.version) AS version, count() AS times,
      argMax(s.seen_at, s.version) AS seen, argMax(s.settled_at, s.version) AS at
    FROM {db:Identifier}.settled AS s WHERE tenant = {tenant:String} AND bucket >= toDateTime({first:UInt32}) AND bucket <= toDateTime({last:UInt32}) GROUP BY tenant, bucket
  ) AS s USING (tenant, bucket)
  WHERE spans_at > toDateTime64(0, 3, 'UTC')
)
ORDER BY bucket
-- first = 0
-- last = 300
-- tenant = acme
