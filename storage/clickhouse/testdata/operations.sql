SELECT DISTINCT name, kind
FROM {db:Identifier}.operations
WHERE tenant = {tenant:String}
  AND service = {service:String}
ORDER BY name, kind
LIMIT {limit:UInt32}
-- limit = 10
-- service = shop
-- tenant = acme
