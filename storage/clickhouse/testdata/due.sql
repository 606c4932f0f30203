SELECT tenant, toUnixTimestamp(bucket) AS bucket, toUnixTimestamp64Milli(spans_at) AS spans_at,
  spans_at > addMilliseconds(toDateTime64(bucket, 3, 'UTC'), 300000 + {delay:UInt32}) AS late,
  version > 0 AS again,
  count() OVER () AS left,
  toUnixTimestamp(min(bucket) OVER ()) AS oldest
FROM (
  SELECT tenant, bucket, spans_at, greatest(spans_at, asked_at) AS dirty_at,
    version, times, seen, at
  FROM (
    SELECT tenant, bucket, max(spans_at) AS spans_at, max(asked_at) AS asked_at
    FROM {db:Identifier}.touched  GROUP BY tenant, bucket
  ) AS t
  LEFT JOIN (
    SELECT tenant, bucket, max(s.version) AS version, count() AS times,
      argMax(s.seen_at, s.version) AS seen, argMax(s.settled_at, s.version) AS at
    FROM {db:Identifier}.settled AS s  GROUP BY tenant, bucket
  ) AS s USING (tenant, bucket)
  WHERE spans_at > toDateTime64(0, 3, 'UTC')
)
WHERE dirty_at > seen
  AND addMilliseconds(toDateTime64(bucket, 3, 'UTC'), 300000 + {delay:UInt32})
    <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
  AND (times = 0 OR addSeconds(at,
    toUInt32(300 * pow(4, least(times - 1, 4))))
    <= fromUnixTimestamp64Milli({now:Int64}, 'UTC'))
ORDER BY bucket DESC, tenant
LIMIT {limit:UInt32}
-- delay = 120000
-- limit = 4
-- now = 1000000
