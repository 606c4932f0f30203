WITH nodes AS (
  SELECT trace_lo, trace_hi, span_id,
    max(parent_id) AS parent_id,
    countIf(kind = 3) > 0 AND countIf(kind = 2) > 0 AS shared,
    if(shared, minIf(service, kind = 3), min(service)) AS upper,
    if(shared, minIf(service, kind = 2), min(service)) AS lower,
    if(shared, minIf(ts, kind = 3), min(ts)) AS upper_ts,
    if(shared, minIf(ts, kind = 2), min(ts)) AS lower_ts,
    max(status) = 2 AS failed
  FROM (SELECT trace_lo, trace_hi, span_id, parent_id, kind, ts, service, status
  FROM {db:Identifier}.spans
  WHERE tenant = {tenant:String}
    AND ts >= fromUnixTimestamp64Nano({from:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')
    AND trace_lo >= {lowFrom:UInt64} AND trace_lo <= {lowTo:UInt64}
  UNION ALL
  SELECT trace_lo, trace_hi, span_id, parent_id, kind, ts, service, status
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
    AND (ts < fromUnixTimestamp64Nano({from:Int64}, 'UTC') OR ts > fromUnixTimestamp64Nano({to:Int64}, 'UTC')))
  GROUP BY trace_lo, trace_hi, span_id
)
SELECT toString(parent) AS parent, toString(child) AS child, count() AS calls, countIf(failed) AS errors
FROM (
  SELECT above.lower AS parent, below.upper AS child, below.failed AS failed, below.upper_ts AS at
  FROM nodes AS below
  INNER JOIN nodes AS above ON above.trace_lo = below.trace_lo
    AND above.trace_hi = below.trace_hi AND above.span_id = below.parent_id
  UNION ALL
  SELECT upper AS parent, lower AS child, failed, lower_ts AS at FROM nodes WHERE shared
)
WHERE parent != child
  AND at >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
  AND at <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')
GROUP BY parent, child
-- farFrom = 1795424100000000000
-- farTo = 1795446000000000000
-- firstDay = 20780
-- from = 1795434900000000000
-- lastDay = 20780
-- lowFrom = 0
-- lowTo = 18446744073709551615
-- tenant = acme
-- to = 1795435200000000000
