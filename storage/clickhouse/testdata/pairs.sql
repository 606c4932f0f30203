SELECT DISTINCT trace_lo, trace_hi
FROM {db:Identifier}.trace_summaries
WHERE tenant = {tenant:String}
  AND day >= toDate({firstDay:UInt16}) AND day <= toDate({lastDay:UInt16})
  AND trace_lo IN {lows:Array(UInt64)}
-- firstDay = 20780
-- lastDay = 20780
-- lows = [1,2]
-- tenant = acme
