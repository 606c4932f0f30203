SELECT toUInt8(0) AS scope, max(arrayExists((k, v) -> k = {key0:String} AND v = {text0:String}, mapKeys(attrs), mapValues(attrs))) AS t0,
  max(arrayExists((k, v) -> k = {key1:String} AND v = {text1:String}, mapKeys(attrs), mapValues(attrs))) AS t1
FROM {db:Identifier}.resources
WHERE tenant = {tenant:String}
  AND day >= toDate({firstDay:UInt16}) AND day <= toDate({lastDay:UInt16})
UNION ALL
SELECT toUInt8(1) AS scope, max(arrayExists((k, v) -> k = {key0:String} AND v = {text0:String}, mapKeys(attrs), mapValues(attrs))) AS t0,
  max(arrayExists((k, v) -> k = {key1:String} AND v = {text1:String}, mapKeys(attrs), mapValues(attrs))) AS t1
FROM {db:Identifier}.scopes
WHERE tenant = {tenant:String}
  AND day >= toDate({firstDay:UInt16}) AND day <= toDate({lastDay:UInt16})
-- firstDay = 20780
-- key0 = a
-- key1 = c
-- lastDay = 20780
-- tenant = acme
-- text0 = b
-- text1 = d
