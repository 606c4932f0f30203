SELECT toUnixTimestamp64Nano(ts) AS value
FROM {db:Identifier}.search
WHERE tenant = {tenant:String}
  AND ts >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
  AND ts <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')
  AND service = {service:String}
  AND name = {operation:String}
  AND duration >= {durationMin:Int64}
  AND duration <= {durationMax:Int64}
  AND kind = {kind0:UInt8}
ORDER BY ts DESC
LIMIT 1 OFFSET {before:UInt32}
-- before = 99
-- durationMax = 2000000000
-- durationMin = 1000000
-- from = 1795431600000000000
-- kind0 = 2
-- operation = b
-- service = a
-- tenant = acme
-- to = 1795435200000000000
