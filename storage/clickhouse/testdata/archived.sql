SELECT bytes
FROM {db:Identifier}.archive FINAL
WHERE tenant = {tenant:String} AND trace_lo = {low:UInt64} AND trace_hi = {high:UInt64}
ORDER BY part
-- high = 1
-- low = 2
-- tenant = acme
