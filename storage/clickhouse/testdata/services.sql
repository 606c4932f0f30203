SELECT DISTINCT service
FROM {db:Identifier}.operations
WHERE tenant = {tenant:String}
ORDER BY service
LIMIT {limit:UInt32}
-- limit = 10
-- tenant = acme
