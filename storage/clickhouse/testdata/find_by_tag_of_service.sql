SELECT trace_lo, trace_hi, toUnixTimestamp64Nano(max(ts)) AS value
FROM {db:Identifier}.spans
WHERE tenant = {tenant:String}
  AND ts >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
  AND ts <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')
  AND service = {service:String}
  AND ((indexHint(hasAny(arrayConcat(
    arrayMap((k, v) -> cityHash64(k, v), mapKeys(attr_s), mapValues(attr_s)),
    arrayMap((k, v) -> cityHash64(k, v), mapKeys(attr_i), mapValues(attr_i)),
    arrayMap((k, v) -> cityHash64(k, v), mapKeys(attr_d), mapValues(attr_d)),
    arrayMap((k, v) -> cityHash64(k, v), mapKeys(attr_b), mapValues(attr_b)),
    event_kv), [{event0:UInt64}, cityHash64({key0:String}, {text0:String}), cityHash64({key0:String}, {int0:Int64}), cityHash64({key0:String}, {dbl0:Float64})]))
  AND (has(event_kv, {event0:UInt64})
    OR arrayExists((k, v) -> k = {key0:String} AND v = {text0:String}, mapKeys(attr_s), mapValues(attr_s))
    OR arrayExists((k, v) -> k = {key0:String} AND v = {int0:Int64}, mapKeys(attr_i), mapValues(attr_i))
    OR arrayExists((k, v) -> k = {key0:String} AND v = {dbl0:Float64}, mapKeys(attr_d), mapValues(attr_d)))))
GROUP BY trace_lo, trace_hi
ORDER BY value DESC, trace_lo, trace_hi
LIMIT {limit:UInt32}
-- dbl0 = 1
-- event0 = 17813781256856646481
-- from = 0
-- int0 = 1
-- key0 = k
-- limit = 20
-- service = a
-- tenant = acme
-- text0 = 1
-- to = 1795435200000000000
