SELECT toUnixTimestamp(toStartOfMinute(ts)) AS minute, toString(service) AS service, '' AS name,
  toInt32(-1) AS slot,
  count() AS calls,
  countIf(status = 2) AS errors
FROM (
  SELECT ts, service, name, duration, status
  FROM {db:Identifier}.spans
  WHERE tenant = {tenant:String}
    AND ts >= fromUnixTimestamp64Nano({from:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')
    AND trace_lo >= {lowFrom:UInt64} AND trace_lo <= {lowTo:UInt64}
    AND service IN {services:Array(String)} AND kind IN {kinds:Array(UInt64)}
  LIMIT 1 BY trace_lo, trace_hi, span_id, kind, h
)
GROUP BY minute, service
-- from = 1795434900000000000
-- kinds = [2,3]
-- lowFrom = 0
-- lowTo = 18446744073709551615
-- services = [shop's]
-- tenant = acme
-- to = 1795435200000000000
