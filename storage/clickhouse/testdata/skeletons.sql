SELECT trace_lo, trace_hi, span_id, parent_id, h, ts, duration, service, name, kind, status
FROM {db:Identifier}.spans
WHERE tenant = {tenant:String}
  AND (toStartOfFiveMinutes(ts), trace_lo, trace_hi) IN (
    SELECT toDateTime(arrayJoin(range(first, last + 1, 300)), 'UTC'), trace_lo, trace_hi
    FROM (
      SELECT trace_lo, trace_hi,
        toUnixTimestamp(toStartOfFiveMinutes(min(start_time))) AS first,
        toUnixTimestamp(toStartOfFiveMinutes(max(end_time))) AS last
      FROM {db:Identifier}.trace_summaries
      WHERE tenant = {tenant:String}
        AND day >= toDate({firstDay:UInt16}) AND day <= toDate({lastDay:UInt16})
        AND (trace_lo, trace_hi) IN (
          SELECT reinterpretAsUInt64(substring(packed, n * 16 + 1, 8)),
            reinterpretAsUInt64(substring(packed, n * 16 + 9, 8))
          FROM (SELECT base64URLDecode({keys:String}) AS packed, arrayJoin(range({count:UInt32})) AS n)
        )
      GROUP BY day, trace_lo, trace_hi
    )
  )
LIMIT {rowsMax:UInt32}
-- count = 1
-- firstDay = 20000
-- keys = __________8BAAAAAAAAAA
-- lastDay = 20001
-- rowsMax = 1000
-- tenant = acme
-- settings {"max_block_size":16384,"use_skip_indexes":0}
