SELECT toUnixTimestamp(minute) AS minute, toString(service) AS service, toString(name) AS name,
  toInt32(slot) AS slot,
  sum(n) AS calls,
  sumIf(n, status = 2) AS errors
FROM {db:Identifier}.red AS red
ARRAY JOIN mapKeys(slots) AS slot, mapValues(slots) AS n
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
  AND service IN {services:Array(String)} AND kind IN {kinds:Array(UInt64)}
GROUP BY minute, service, name, slot
-- exceptFirst = [600]
-- exceptLast = [900]
-- first = 0
-- kinds = [2,3]
-- last = 3000
-- services = [shop's]
-- tenant = acme
