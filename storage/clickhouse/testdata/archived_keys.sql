SELECT DISTINCT trace_lo, trace_hi
FROM {db:Identifier}.archive
WHERE tenant = {tenant:String}
  AND (trace_lo, trace_hi) IN arrayZip({lows:Array(UInt64)}, {highs:Array(UInt64)})
-- highs = [1]
-- lows = [18446744073709551615]
-- tenant = acme
