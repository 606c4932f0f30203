SELECT trace_lo, trace_hi, toUnixTimestamp64Nano(max(ts)) AS value
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
    arrayMap(kv -> cityHash64(service, name, kv), event_kv)), [cityHash64({service:String}, {operation:String}, {event0:UInt64}), cityHash64({service:String}, {operation:String}, {key0:String}, {text0:String}), cityHash64({service:String}, {operation:String}, {key0:String}, {int0:Int64}), cityHash64({service:String}, {operation:String}, {key0:String}, {dbl0:Float64})]))
  AND (has(event_kv, {event0:UInt64})
    OR arrayExists((k, v) -> k = {key0:String} AND v = {text0:String}, mapKeys(attr_s), mapValues(attr_s))
    OR arrayExists((k, v) -> k = {key0:String} AND v = {int0:Int64}, mapKeys(attr_i), mapValues(attr_i))
    OR arrayExists((k, v) -> k = {key0:String} AND v = {dbl0:Float64}, mapKeys(attr_d), mapValues(attr_d))))
  OR resource_id IN (SELECT id FROM {db:Identifier}.resources WHERE tenant = {tenant:String}
    AND day >= toDate({firstDay:UInt16}) AND day <= toDate({lastDay:UInt16}) AND arrayExists((k, v) -> k = {key0:String} AND v = {text0:String}, mapKeys(attrs), mapValues(attrs)))
  OR scope_id IN (SELECT id FROM {db:Identifier}.scopes WHERE tenant = {tenant:String}
    AND day >= toDate({firstDay:UInt16}) AND day <= toDate({lastDay:UInt16}) AND arrayExists((k, v) -> k = {key0:String} AND v = {text0:String}, mapKeys(attrs), mapValues(attrs))))
  AND ((indexHint(hasAny(arrayConcat(
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_s), mapValues(attr_s)),
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_i), mapValues(attr_i)),
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_d), mapValues(attr_d)),
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_b), mapValues(attr_b)),
    arrayMap(kv -> cityHash64(service, name, kv), event_kv)), [cityHash64({service:String}, {operation:String}, {event1:UInt64}), cityHash64({service:String}, {operation:String}, {key1:String}, {text1:String}), cityHash64({service:String}, {operation:String}, {key1:String}, {bit1:UInt8})]))
  AND (has(event_kv, {event1:UInt64})
    OR arrayExists((k, v) -> k = {key1:String} AND v = {text1:String}, mapKeys(attr_s), mapValues(attr_s))
    OR arrayExists((k, v) -> k = {key1:String} AND v = {bit1:UInt8}, mapKeys(attr_b), mapValues(attr_b)))))
  AND ((indexHint(hasAny(arrayConcat(
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_s), mapValues(attr_s)),
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_i), mapValues(attr_i)),
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_d), mapValues(attr_d)),
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_b), mapValues(attr_b)),
    arrayMap(kv -> cityHash64(service, name, kv), event_kv)), [cityHash64({service:String}, {operation:String}, {event2:UInt64}), cityHash64({service:String}, {operation:String}, {key2:String}, {text2:String}), cityHash64({service:String}, {operation:String}, {key2:String}, {int2:Int64}), cityHash64({service:String}, {operation:String}, {key2:String}, {dbl2:Float64}), cityHash64({service:String}, {operation:String}, {key2:String}, {neg2:Float64})]))
  AND (has(event_kv, {event2:UInt64})
    OR arrayExists((k, v) -> k = {key2:String} AND v = {text2:String}, mapKeys(attr_s), mapValues(attr_s))
    OR arrayExists((k, v) -> k = {key2:String} AND v = {int2:Int64}, mapKeys(attr_i), mapValues(attr_i))
    OR arrayExists((k, v) -> k = {key2:String} AND v = {dbl2:Float64}, mapKeys(attr_d), mapValues(attr_d))
    OR arrayExists((k, v) -> k = {key2:String} AND v = {neg2:Float64}, mapKeys(attr_d), mapValues(attr_d)))))
  AND kind = {kind3:UInt8}
  AND status_message = {message4:String}
  AND NOT (status = {status5:UInt8})
GROUP BY trace_lo, trace_hi
ORDER BY value DESC, trace_lo, trace_hi
LIMIT {limit:UInt32}
-- bit1 = 1
-- dbl0 = 500
-- dbl2 = 0
-- durationMax = 2000000000
-- durationMin = 1000000
-- event0 = 11363867202157591664
-- event1 = 6163322862952008151
-- event2 = 16173469432586958814
-- firstDay = 20780
-- from = 1795431600000000000
-- int0 = 500
-- int2 = 0
-- key0 = http.status_code
-- key1 = ok
-- key2 = zero
-- kind3 = 2
-- lastDay = 20780
-- limit = 20
-- message4 = no seats
-- neg2 = -0
-- operation = GET /
-- service = shop's
-- status5 = 2
-- tenant = acme
-- text0 = 500
-- text1 = true
-- text2 = 0
-- to = 1795435200000000000
