SELECT id, bytes, schema_url
FROM {db:Identifier}.resources
WHERE tenant = {tenant:String}
  AND id IN {ids:Array(UInt64)}
  AND day >= toDate({firstDay:UInt16}) AND day <= toDate({lastDay:UInt16})
LIMIT 1 BY id
-- firstDay = 20000
-- ids = [5]
-- lastDay = 20001
-- tenant = acme
