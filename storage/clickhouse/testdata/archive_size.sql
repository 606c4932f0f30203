SELECT
  uniqExact(trace_lo, trace_hi) AS traces,
  sum(toUInt64(size)) AS bytes,
  sumIf(toUInt64(spans), trace_lo = {low:UInt64} AND trace_hi = {high:UInt64}) AS spans
FROM {db:Identifier}.archive FINAL
WHERE tenant = {tenant:String}
-- high = 1
-- low = 2
-- tenant = acme
