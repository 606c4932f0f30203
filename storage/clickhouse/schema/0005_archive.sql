-- Traces that someone asked to keep, past the retention: a copy of the whole trace as OTLP messages, so that no
-- later change of the other tables touches it. No TTL: whoever asked wants it kept (docs/OPERATING.md).
-- A trace that is archived again has as many parts or more, each of which takes the place of the one before: read
-- it with FINAL.
CREATE TABLE IF NOT EXISTS {{db}}.archive {{on_cluster}} (
  tenant LowCardinality(String),
  trace_lo UInt64,
  trace_hi UInt64,
  part UInt16,
  archived_at DateTime64(3, 'UTC'),
  spans UInt32,
  size UInt32,
  bytes String CODEC(ZSTD(3))
) ENGINE = {{ReplacingMergeTree}}
ORDER BY (tenant, trace_lo, trace_hi, part)
SETTINGS index_granularity = 64;
