SELECT trace_lo, trace_hi, toUnixTimestamp64Nano(min(ts)) AS value
FROM {db:Identifier}.spans
WHERE tenant = {tenant:String}
  AND ts >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
  AND ts <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')
  AND service = {service:String}
  AND name = {operation:String}
  AND duration >= {durationMin:Int64}
  AND duration <= {durationMax:Int64}
  AND ((indexHint(hasAny(arrayConcat(
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_s), mapValues(attr_s)),
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_i), mapValues(attr_i)),
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_d), mapValues(attr_d)),
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_b), mapValues(attr_b)),
    arrayMap(kv -> cityHash64(service, name, kv), event_kv)), [cityHash64({service:String}, {operation:String}, {event0:UInt64}), cityHash64({service:String}, {operation:String}, {key0:String}, {text0:String})]))
  AND (has(event_kv, {event0:UInt64})
    OR arrayExists((k, v) -> k = {key0:String} AND v = {text0:String}, mapKeys(attr_s), mapValues(attr_s)))))
GROUP BY trace_lo, trace_hi
ORDER BY value ASC, trace_lo, trace_hi
LIMIT {limit:UInt32}
-- durationMax = 2000000000
-- durationMin = 1000000
-- event0 = 3802103871552193568
-- from = 1795431600000000000
-- key0 = k
-- limit = 1
-- operation = GET /
-- service = shop's
-- tenant = acme
-- text0 = v
-- to = 1795435200000000000
