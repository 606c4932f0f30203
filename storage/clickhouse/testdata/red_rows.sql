SELECT minute, service, name, kind, status, sum(n) AS calls,
  CAST((groupArray(slot), groupArray(n)), 'Map(Int16, UInt64)') AS slots
FROM (
  SELECT minute, service, name, kind, status, slot, count() AS n
  FROM (
    SELECT toStartOfMinute(ts) AS minute, service, name, kind, status, if(duration > 0, toInt16(floor(log2(duration) * 16)), toInt16(-1)) AS slot
    FROM {db:Identifier}.spans
    WHERE tenant = {tenant:String}
    AND ts >= fromUnixTimestamp64Nano({from:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')
    AND trace_lo >= {lowFrom:UInt64} AND trace_lo <= {lowTo:UInt64}
    LIMIT 1 BY trace_lo, trace_hi, span_id, kind, h
  )
  GROUP BY minute, service, name, kind, status, slot
)
GROUP BY minute, service, name, kind, status
-- from = 1795434900000000000
-- lowFrom = 0
-- lowTo = 18446744073709551615
-- tenant = acme
-- to = 1795435200000000000
