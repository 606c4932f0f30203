SELECT toString(parent) AS parent, toString(child) AS child,
  sum(calls) AS calls, sum(errors) AS errors
FROM {db:Identifier}.edges
WHERE tenant = {tenant:String}
  AND (bucket, version) IN (
    SELECT bucket, max(version) FROM {db:Identifier}.settled
    WHERE tenant = {tenant:String}
      AND bucket >= toDateTime({first:UInt32}) AND bucket <= toDateTime({last:UInt32})
    GROUP BY bucket
  )
  AND bucket >= toDateTime({first:UInt32}) AND bucket <= toDateTime({last:UInt32})
  AND NOT arrayExists((f, l) -> toUnixTimestamp(bucket) >= f AND toUnixTimestamp(bucket) <= l,
    {exceptFirst:Array(UInt64)}, {exceptLast:Array(UInt64)})
  AND source = {source:String}
GROUP BY parent, child
-- exceptFirst = [600]
-- exceptLast = [900]
-- first = 0
-- last = 3000
-- source = zipkin
-- tenant = acme
