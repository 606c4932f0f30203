SELECT DISTINCT toDateTime(arrayJoin(range(
  toUnixTimestamp(toStartOfFiveMinutes(fromUnixTimestamp64Nano({to:Int64}, 'UTC'))) + 300,
  toUnixTimestamp(toStartOfFiveMinutes(least(last, fromUnixTimestamp64Nano({lateTo:Int64}, 'UTC')))) + 1, 300)), 'UTC') AS bucket
FROM (SELECT trace_lo, trace_hi, min(start_time) AS first, max(end_time) AS last
    FROM {db:Identifier}.trace_summaries
    WHERE tenant = {tenant:String}
      AND day >= toDate({firstDay:UInt16}) AND day <= toDate({lastDay:UInt16})
      AND trace_lo >= {lowFrom:UInt64} AND trace_lo <= {lowTo:UInt64}
    GROUP BY trace_lo, trace_hi
    HAVING first <= fromUnixTimestamp64Nano({to:Int64}, 'UTC') AND last >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
      AND (first < fromUnixTimestamp64Nano({from:Int64}, 'UTC') OR last > fromUnixTimestamp64Nano({to:Int64}, 'UTC')))
WHERE last > fromUnixTimestamp64Nano({to:Int64}, 'UTC')
-- firstDay = 20780
-- from = 1795434900000000000
-- lastDay = 20780
-- lateTo = 1795446000000000000
-- lowFrom = 0
-- lowTo = 18446744073709551615
-- tenant = acme
-- to = 1795435200000000000
