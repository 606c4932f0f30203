SELECT trace_lo, max(duration) AS value
FROM {db:Identifier}.search
WHERE tenant = {tenant:String}
  AND ts >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
  AND ts <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')
  AND service = {service:String}
  AND name = {operation:String}
  AND duration >= {durationMin:Int64}
  AND duration <= {durationMax:Int64}
  AND kind = {kind0:UInt8}
GROUP BY trace_lo
ORDER BY value DESC, trace_lo
LIMIT {limit:UInt32}
-- durationMax = 2000000000
-- durationMin = 1000000
-- from = 1795431600000000000
-- kind0 = 2
-- limit = 20
-- operation = GET /
-- service = shop's
-- tenant = acme
-- to = 1795435200000000000
