SELECT DISTINCT name, kind
FROM {db:Identifier}.operations
WHERE tenant = {tenant:String}
  AND service = {service:String}
  AND kind = {kind:UInt8}
ORDER BY name, kind
LIMIT {limit:UInt32}
-- kind = 2
-- limit = 10
-- service = shop
-- tenant = acme
