SELECT span_id, kind, h
FROM {db:Identifier}.spans
PREWHERE tenant = {tenant:String}
  AND (toStartOfFiveMinutes(ts), trace_lo, trace_hi) IN (
      SELECT toDateTime(arrayJoin(range(first, last + 1, 300)), 'UTC'), trace_lo, trace_hi
      FROM (
        SELECT trace_lo, trace_hi,
          toUnixTimestamp(toStartOfFiveMinutes(min(start_time))) AS first,
          toUnixTimestamp(toStartOfFiveMinutes(max(end_time))) AS last
        FROM {db:Identifier}.trace_summaries
        WHERE tenant = {tenant:String}
          AND (trace_lo, trace_hi) IN arrayZip({lows:Array(UInt64)}, {highs:Array(UInt64)})
        GROUP BY day, trace_lo, trace_hi
      )
    )
LIMIT 1 BY trace_lo, trace_hi, span_id, kind, h
LIMIT {spansMax:UInt32}
-- highs = [1]
-- lows = [18446744073709551615]
-- spansMax = 1000
-- tenant = acme
-- settings {"use_skip_indexes":0,"max_threads":1}
