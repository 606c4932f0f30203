-- One row a span, in order of arrival and cut into blocks; everything else of a span follows from these.
-- Placeholders: {{traces}}, {{block_rows}}.
-- Four days from 2026-11-16. A fifth of the traces falls into the last ten minutes: the peak, where every
-- block touches the same few buckets, as on a busy system.
CREATE TABLE keys ENGINE = MergeTree ORDER BY (block, t, i) AS
WITH
  toInt64(1794787200) * 1000000000 AS first_ns, -- 2026-11-16 00:00:00 UTC
  toInt64(4 * 86400) * 1000000000 AS all_ns,
  toInt64(600) * 1000000000 AS peak_ns
SELECT toUInt16(intDiv(rowNumberInAllBlocks(), {{block_rows}})) AS block, t, i, n, ts, duration
FROM (
  WITH
    cityHash64(t, i, 1) / 18446744073709551616. AS u,
    cityHash64(t, i, 2) / 18446744073709551616. AS v,
    if(i = 0, 0, toInt64(trace_ns * (i / n) * (0.5 + u / 2))) AS offset
  SELECT t, i, n, trace_ts + offset AS ts,
    if(i = 0, trace_ns, toInt64((trace_ns - offset) * pow(v, 3)) + 1000) AS duration
  FROM (
    WITH cityHash64(toUInt32(number)) AS r, cityHash64(toUInt32(number), 3) / 18446744073709551616. AS w
    SELECT toUInt32(number) AS t,
      toUInt32(multiIf(t % 54000 = 7, 10000, t % 2700 = 3, 1000, 4 + r % 37)) AS n,
      toInt64(multiIf(n = 10000, 600e9, n = 1000, 60e9, t % 997 = 5, 10800e9, 20e6 * pow(100., w))) AS trace_ns,
      first_ns + if(r % 5 = 0 AND n < 1000,
        toInt64(all_ns - peak_ns + peak_ns * w),
        toInt64((all_ns - peak_ns) * (cityHash64(t, 4) / 18446744073709551616.))) AS trace_ts,
      arrayJoin(range(n)) AS i
    FROM numbers({{traces}})
  )
  -- A client sends a batch within five seconds after a span's end; one span in 2,000 comes two hours late.
  ORDER BY ts + duration + toInt64(cityHash64(t, i, 5) % 5000000000)
    + if(cityHash64(t, i, 6) % 2000 = 0, 7200000000000, 0)
)
SETTINGS max_threads = 1
