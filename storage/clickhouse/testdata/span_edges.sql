SELECT toString(edge.1) AS parent, toString(edge.2) AS child,
  count() AS calls, countIf(edge.3) AS errors
FROM (
  SELECT arrayJoin(arrayConcat(if(parents = 0, [], arrayMap(call -> (parent, call.1, call.2), calls)), own)) AS edge
  FROM (
    SELECT minIf(lower, isSelf) AS parent, countIf(isSelf) AS parents,
      groupArrayIf((upper, failed), NOT isSelf AND upper_ts >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
        AND upper_ts <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')) AS calls,
      groupArrayIf((upper, lower, failed), isSelf AND shared AND lower_ts >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
        AND lower_ts <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')) AS own
    FROM (
      SELECT *, arrayJoin([(span_id, 1), (parent_id, 0)]) AS end, end.1 AS id, end.2 = 1 AS isSelf
      FROM (
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
    )
    GROUP BY trace_lo, trace_hi, id
  )
)
WHERE edge.1 != edge.2
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
