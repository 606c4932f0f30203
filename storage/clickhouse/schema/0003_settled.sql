-- Numbers that cannot be made at insert, since they would count what was sent twice: calls between
-- services, and calls, errors and durations by minute. The settle job writes them, a bucket of five
-- minutes at a time, from rows that are told apart by identity. docs/adr/0014-settle-job.md.

-- When spans of a bucket came last, whoever wrote them: what the settle job looks at. asked_at: a
-- bucket beside it got spans so late that this one may have been settled without them.
CREATE TABLE IF NOT EXISTS {{db}}.touched {{on_cluster}} (
  tenant LowCardinality(String),
  bucket DateTime('UTC'),
  spans_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
  asked_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
) ENGINE = {{AggregatingMergeTree}}
ORDER BY (tenant, bucket)
TTL bucket + INTERVAL {{retention_days}} DAY
SETTINGS non_replicated_deduplication_window = 120000,
  merge_selector_base = 8;

CREATE MATERIALIZED VIEW IF NOT EXISTS {{db}}.touched_mv {{on_cluster}} TO {{db}}.touched AS
SELECT tenant, toStartOfFiveMinutes(ts) AS bucket, max(now64(3, 'UTC')) AS spans_at,
  toDateTime64(0, 3, 'UTC') AS asked_at
FROM {{db}}.spans_in GROUP BY tenant, bucket;

-- What was stored before the view was there.
INSERT INTO {{db}}.touched SELECT tenant, toStartOfFiveMinutes(ts) AS bucket, max(now64(3, 'UTC')) AS spans_at,
  toDateTime64(0, 3, 'UTC') AS asked_at
FROM {{db}}.spans GROUP BY tenant, bucket;

-- A bucket's numbers count only when its row is here, and of several versions only the highest, so
-- that one broken off in the middle, or written by two at once, is seen by nobody. They hold what
-- was inserted up to seen_at.
CREATE TABLE IF NOT EXISTS {{db}}.settled {{on_cluster}} (
  tenant LowCardinality(String),
  bucket DateTime('UTC'),
  version UInt64,
  seen_at DateTime64(3, 'UTC'),
  settled_at DateTime64(3, 'UTC'),
  spans UInt64
) ENGINE = {{ReplacingMergeTree}}
ORDER BY (tenant, bucket, version)
TTL bucket + INTERVAL {{retention_days}} DAY;

-- Who settles: of those seen lately, the one that has been there longest.
CREATE TABLE IF NOT EXISTS {{db}}.settlers {{on_cluster}} (
  since DateTime64(3, 'UTC'),
  owner String,
  seen_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
) ENGINE = {{AggregatingMergeTree}}
ORDER BY (since, owner)
TTL toDateTime(seen_at) + INTERVAL {{retention_days}} DAY;

-- Calls from one service to another, at the time of the called. By Jaeger's rules (a span under a
-- span of another service) and by Zipkin's (databases and brokers are nodes, too): `source`.
CREATE TABLE IF NOT EXISTS {{db}}.edges {{on_cluster}} (
  tenant LowCardinality(String),
  source LowCardinality(String),
  bucket DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
  version UInt64 CODEC(ZSTD(1)),
  parent LowCardinality(String),
  child LowCardinality(String),
  calls UInt64 CODEC(T64, ZSTD(1)),
  errors UInt64 CODEC(T64, ZSTD(1))
) ENGINE = {{MergeTree}}
PARTITION BY toDate(bucket)
ORDER BY (tenant, source, bucket, version, parent, child)
TTL bucket + INTERVAL {{retention_days}} DAY
SETTINGS ttl_only_drop_parts = 1;

-- Calls by minute, and how many took how long: slot n of `slots` holds those of [2^(n/16), 2^((n+1)/16))
-- nanoseconds, slot -1 those of none. Slots of any rows add up.
CREATE TABLE IF NOT EXISTS {{db}}.red {{on_cluster}} (
  tenant LowCardinality(String),
  service LowCardinality(String) CODEC(ZSTD(1)),
  bucket DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
  version UInt64 CODEC(ZSTD(1)),
  name LowCardinality(String) CODEC(ZSTD(1)),
  kind UInt8 CODEC(ZSTD(1)),
  status UInt8 CODEC(ZSTD(1)),
  minute DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
  calls UInt64 CODEC(T64, ZSTD(1)),
  slots Map(Int16, UInt64) CODEC(ZSTD(1))
) ENGINE = {{MergeTree}}
PARTITION BY toDate(bucket)
ORDER BY (tenant, service, bucket, version, name, kind, status, minute)
TTL bucket + INTERVAL {{retention_days}} DAY
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1;
