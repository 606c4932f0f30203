SELECT trace_lo, trace_hi, toUnixTimestamp64Nano(max(ts)) AS value
FROM {db:Identifier}.spans
WHERE trace_lo IN {lows:Array(UInt64)} AND tenant = {tenant:String}
  AND ts >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
  AND ts <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')
  AND service = {service:String}
  AND name = {operation:String}
  AND duration >= {durationMin:Int64}
  AND duration <= {durationMax:Int64}
GROUP BY trace_lo, trace_hi
ORDER BY value DESC, trace_lo, trace_hi
LIMIT {limit:UInt32}
-- durationMax = 2000000000
-- durationMin = 1000000
-- from = 1795431600000000000
-- limit = 20
-- lows = [1]
-- operation = GET /
-- service = shop's
-- tenant = acme
-- to = 1795435200000000000
