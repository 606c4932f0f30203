SELECT DISTINCT toStartOfFiveMinutes(above.ts) AS bucket
FROM (
  SELECT trace_lo, trace_hi, arrayJoin([span_id, parent_id]) AS id, ts
  FROM {db:Identifier}.spans
  WHERE tenant = {tenant:String}
    AND ts >= fromUnixTimestamp64Nano({from:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')
    AND trace_lo >= {lowFrom:UInt64} AND trace_lo <= {lowTo:UInt64}
    AND (trace_lo, trace_hi) IN (SELECT trace_lo, trace_hi FROM (SELECT trace_lo, trace_hi, min(start_time) AS first, max(end_time) AS last
    FROM {db:Identifier}.trace_summaries
    WHERE tenant = {tenant:String}
      AND day >= toDate({firstDay:UInt16}) AND day <= toDate({lastDay:UInt16})
      AND trace_lo >= {lowFrom:UInt64} AND trace_lo <= {lowTo:UInt64}
    GROUP BY trace_lo, trace_hi
    HAVING first <= fromUnixTimestamp64Nano({to:Int64}, 'UTC') AND last >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
      AND (first < fromUnixTimestamp64Nano({from:Int64}, 'UTC') OR last > fromUnixTimestamp64Nano({to:Int64}, 'UTC'))))
) AS below
INNER JOIN (
  SELECT trace_lo, trace_hi, span_id, ts
  FROM {db:Identifier}.spans
  WHERE tenant = {tenant:String}
    AND (toStartOfFiveMinutes(ts), trace_lo, trace_hi) IN (SELECT toDateTime(arrayJoin(arrayConcat(
      if(first < fromUnixTimestamp64Nano({from:Int64}, 'UTC'),
        range(toUnixTimestamp(toStartOfFiveMinutes(greatest(first, fromUnixTimestamp64Nano({farFrom:Int64}, 'UTC')))),
          toUnixTimestamp(toStartOfFiveMinutes(fromUnixTimestamp64Nano({from:Int64}, 'UTC'))) + 1, 300), []),
      if(last > fromUnixTimestamp64Nano({to:Int64}, 'UTC'),
        range(toUnixTimestamp(toStartOfFiveMinutes(fromUnixTimestamp64Nano({to:Int64}, 'UTC'))),
          toUnixTimestamp(toStartOfFiveMinutes(least(last, fromUnixTimestamp64Nano({farTo:Int64}, 'UTC')))) + 1, 300), [])
    )), 'UTC') AS bucket, trace_lo, trace_hi
    FROM (SELECT trace_lo, trace_hi, min(start_time) AS first, max(end_time) AS last
    FROM {db:Identifier}.trace_summaries
    WHERE tenant = {tenant:String}
      AND day >= toDate({firstDay:UInt16}) AND day <= toDate({lastDay:UInt16})
      AND trace_lo >= {lowFrom:UInt64} AND trace_lo <= {lowTo:UInt64}
    GROUP BY trace_lo, trace_hi
    HAVING first <= fromUnixTimestamp64Nano({to:Int64}, 'UTC') AND last >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
      AND (first < fromUnixTimestamp64Nano({from:Int64}, 'UTC') OR last > fromUnixTimestamp64Nano({to:Int64}, 'UTC'))))
    AND ts < fromUnixTimestamp64Nano({from:Int64}, 'UTC') AND kind = 3
) AS above ON above.trace_lo = below.trace_lo AND above.trace_hi = below.trace_hi
  AND above.span_id = below.id
WHERE below.ts >= addSeconds(toStartOfFiveMinutes(above.ts), {soon:UInt32})
-- farFrom = 1795424100000000000
-- farTo = 1795446000000000000
-- firstDay = 20780
-- from = 1795434900000000000
-- lastDay = 20780
-- lowFrom = 0
-- lowTo = 18446744073709551615
-- soon = 360
-- tenant = acme
-- to = 1795435200000000000
