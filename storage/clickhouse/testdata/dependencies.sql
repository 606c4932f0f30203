WITH nodes AS (
  SELECT trace_lo, trace_hi, span_id,
    max(parent_id) AS parent_id,
    countIf(kind = 3) > 0 AND countIf(kind = 2) > 0 AS shared,
    if(shared, anyIf(service, kind = 3), any(service)) AS upper,
    if(shared, anyIf(service, kind = 2), any(service)) AS lower
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
WHERE parent != child
  AND (parent = {service:String} OR child = {service:String})
GROUP BY parent, child
ORDER BY parent, child
LIMIT {edgesMax:UInt32}
-- edgesMax = 10
-- from = 0
-- service = shop's
-- tenant = acme
-- to = 1795435200000000000
