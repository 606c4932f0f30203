-- 0001_spans.sql

CREATE TABLE IF NOT EXISTS traces.spans_in ON CLUSTER main_cluster (
  tenant LowCardinality(String),
  trace_lo UInt64,
  trace_hi UInt64,
  span_id UInt64,
  parent_id UInt64,
  h UInt32,
  ts DateTime64(9, 'UTC'),
  duration Int64,
  service LowCardinality(String),
  name LowCardinality(String),
  kind UInt8,
  status UInt8,
  status_message String,
  flags UInt32,
  resource_id UInt64,
  scope_id UInt64,
  attr_s Map(LowCardinality(String), String),
  attr_i Map(LowCardinality(String), Int64),
  attr_d Map(LowCardinality(String), Float64),
  attr_b Map(LowCardinality(String), UInt8),
  attr_x Map(LowCardinality(String), String),
  events String,
  links String,
  rest String,
  event_kv Array(UInt64),
  resource String,
  resource_schema_url String,
  resource_attrs Map(LowCardinality(String), String),
  scope String,
  scope_schema_url String,
  scope_attrs Map(LowCardinality(String), String)
) ENGINE = Null;

CREATE TABLE IF NOT EXISTS traces.spans ON CLUSTER main_cluster (
  tenant LowCardinality(String),
  trace_lo UInt64 CODEC(ZSTD(1)),
  trace_hi UInt64 CODEC(ZSTD(1)),
  span_id UInt64 CODEC(NONE),
  parent_id UInt64 CODEC(ZSTD(1)),
  h UInt32 CODEC(NONE),
  ts DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
  duration Int64 CODEC(T64, ZSTD(1)),
  service LowCardinality(String) CODEC(ZSTD(1)),
  name LowCardinality(String) CODEC(ZSTD(1)),
  kind UInt8 CODEC(ZSTD(1)),
  status UInt8 CODEC(ZSTD(1)),
  status_message String CODEC(ZSTD(1)),
  flags UInt32 CODEC(ZSTD(1)),
  resource_id UInt64 CODEC(ZSTD(1)),
  scope_id UInt64 CODEC(ZSTD(1)),
  attr_s Map(LowCardinality(String), String) CODEC(ZSTD(3)),
  attr_i Map(LowCardinality(String), Int64) CODEC(ZSTD(1)),
  attr_d Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
  attr_b Map(LowCardinality(String), UInt8) CODEC(ZSTD(1)),
  attr_x Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  events String CODEC(ZSTD(3)),
  links String CODEC(ZSTD(1)),
  rest String CODEC(ZSTD(1)),
  event_kv Array(UInt64) CODEC(ZSTD(1)),
  INDEX kv arrayConcat(
    arrayMap((k, v) -> cityHash64(k, v), mapKeys(attr_s), mapValues(attr_s)),
    arrayMap((k, v) -> cityHash64(k, v), mapKeys(attr_i), mapValues(attr_i)),
    arrayMap((k, v) -> cityHash64(k, v), mapKeys(attr_d), mapValues(attr_d)),
    arrayMap((k, v) -> cityHash64(k, v), mapKeys(attr_b), mapValues(attr_b)),
    event_kv) TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX op_kv arrayConcat(
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_s), mapValues(attr_s)),
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_i), mapValues(attr_i)),
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_d), mapValues(attr_d)),
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_b), mapValues(attr_b)),
    arrayMap(kv -> cityHash64(service, name, kv), event_kv)) TYPE bloom_filter(0.025) GRANULARITY 4
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(ts)
PRIMARY KEY (tenant, toStartOfFiveMinutes(ts), trace_lo, trace_hi)
ORDER BY (tenant, toStartOfFiveMinutes(ts), trace_lo, trace_hi, ts)
TTL toDateTime(ts) + INTERVAL 14 DAY
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, replicated_deduplication_window = 10000,
  merge_selector_base = 8;

CREATE MATERIALIZED VIEW IF NOT EXISTS traces.spans_mv ON CLUSTER main_cluster TO traces.spans AS
SELECT tenant, trace_lo, trace_hi, span_id, parent_id, h, ts, duration, service, name, kind, status,
  status_message, flags, resource_id, scope_id, attr_s, attr_i, attr_d, attr_b, attr_x, events, links,
  rest, event_kv
FROM traces.spans_in;

CREATE TABLE IF NOT EXISTS traces.search ON CLUSTER main_cluster (
  tenant LowCardinality(String),
  service LowCardinality(String) CODEC(ZSTD(1)),
  name LowCardinality(String) CODEC(ZSTD(1)),
  ts DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
  duration Int64 CODEC(T64, ZSTD(1)),
  trace_lo UInt64 CODEC(NONE),
  kind UInt8 CODEC(ZSTD(1)),
  status UInt8 CODEC(ZSTD(1))
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (tenant, service, name, ts)
TTL toDateTime(ts) + INTERVAL 14 DAY
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, replicated_deduplication_window = 10000,
  merge_selector_base = 8;

CREATE MATERIALIZED VIEW IF NOT EXISTS traces.search_mv ON CLUSTER main_cluster TO traces.search AS
SELECT tenant, service, name, ts, duration, trace_lo, kind, status FROM traces.spans_in;

CREATE TABLE IF NOT EXISTS traces.trace_summaries ON CLUSTER main_cluster (
  tenant LowCardinality(String),
  day Date,
  trace_lo UInt64 CODEC(ZSTD(1)),
  trace_hi UInt64 CODEC(ZSTD(1)),
  start_time SimpleAggregateFunction(min, DateTime64(9, 'UTC')) CODEC(Delta(8), ZSTD(1)),
  end_time SimpleAggregateFunction(max, DateTime64(9, 'UTC')) CODEC(Delta(8), ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY day
ORDER BY (tenant, trace_lo, trace_hi)
TTL day + INTERVAL 14 DAY + INTERVAL 1 DAY
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, replicated_deduplication_window = 10000,
  merge_selector_base = 8;

CREATE MATERIALIZED VIEW IF NOT EXISTS traces.trace_summaries_mv ON CLUSTER main_cluster TO traces.trace_summaries AS
SELECT tenant, toDate(ts) AS day, trace_lo, trace_hi, min(ts) AS start_time, max(ts) AS end_time
FROM traces.spans_in GROUP BY tenant, day, trace_lo, trace_hi;

CREATE TABLE IF NOT EXISTS traces.operations ON CLUSTER main_cluster (
  tenant LowCardinality(String),
  service LowCardinality(String),
  name LowCardinality(String),
  kind UInt8,
  last_seen SimpleAggregateFunction(max, DateTime('UTC'))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
ORDER BY (tenant, service, name, kind)
TTL last_seen + INTERVAL 14 DAY
SETTINGS replicated_deduplication_window = 10000,
  merge_selector_base = 8;

CREATE MATERIALIZED VIEW IF NOT EXISTS traces.operations_mv ON CLUSTER main_cluster TO traces.operations AS
SELECT tenant, service, name, kind, max(toDateTime(ts, 'UTC')) AS last_seen
FROM traces.spans_in GROUP BY tenant, service, name, kind;

CREATE TABLE IF NOT EXISTS traces.resources ON CLUSTER main_cluster (
  tenant LowCardinality(String),
  day Date,
  id UInt64,
  bytes String CODEC(ZSTD(3)),
  schema_url String CODEC(ZSTD(1)),
  attrs Map(LowCardinality(String), String) CODEC(ZSTD(3))
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY day
ORDER BY (tenant, id)
TTL day + INTERVAL 14 DAY + INTERVAL 1 DAY
SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 10000,
  merge_selector_base = 8;

CREATE MATERIALIZED VIEW IF NOT EXISTS traces.resources_mv ON CLUSTER main_cluster TO traces.resources AS
SELECT tenant, toDate(ts) AS day, resource_id AS id, resource AS bytes, resource_schema_url AS schema_url,
  resource_attrs AS attrs
FROM traces.spans_in WHERE length(resource) > 0 OR length(resource_schema_url) > 0;

CREATE TABLE IF NOT EXISTS traces.scopes ON CLUSTER main_cluster (
  tenant LowCardinality(String),
  day Date,
  id UInt64,
  bytes String CODEC(ZSTD(3)),
  schema_url String CODEC(ZSTD(1)),
  attrs Map(LowCardinality(String), String) CODEC(ZSTD(3))
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY day
ORDER BY (tenant, id)
TTL day + INTERVAL 14 DAY + INTERVAL 1 DAY
SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 10000,
  merge_selector_base = 8;

CREATE MATERIALIZED VIEW IF NOT EXISTS traces.scopes_mv ON CLUSTER main_cluster TO traces.scopes AS
SELECT tenant, toDate(ts) AS day, scope_id AS id, scope AS bytes, scope_schema_url AS schema_url,
  scope_attrs AS attrs
FROM traces.spans_in WHERE length(scope) > 0 OR length(scope_schema_url) > 0;

-- 0002_ranges.sql

CREATE TABLE IF NOT EXISTS traces.ranges ON CLUSTER main_cluster (
  cluster_id LowCardinality(String),
  topic LowCardinality(String),
  topic_id LowCardinality(String),
  partition_number UInt32,
  first UInt64,
  last UInt64,
  hash String,
  version UInt16,
  records UInt64,
  spans UInt64,
  rejected Map(LowCardinality(String), UInt64),
  dead_lettered Map(LowCardinality(String), UInt64),
  lost UInt64,
  buckets Array(DateTime('UTC')),
  inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
ORDER BY (cluster_id, topic, topic_id, partition_number, first, last)
TTL toDateTime(inserted_at) + INTERVAL 14 DAY
SETTINGS replicated_deduplication_window = 120000;

ALTER TABLE traces.spans ON CLUSTER main_cluster MODIFY SETTING replicated_deduplication_window = 120000;

ALTER TABLE traces.search ON CLUSTER main_cluster MODIFY SETTING replicated_deduplication_window = 120000;

ALTER TABLE traces.trace_summaries ON CLUSTER main_cluster MODIFY SETTING replicated_deduplication_window = 120000;

ALTER TABLE traces.operations ON CLUSTER main_cluster MODIFY SETTING replicated_deduplication_window = 120000;

ALTER TABLE traces.resources ON CLUSTER main_cluster MODIFY SETTING replicated_deduplication_window = 120000;

ALTER TABLE traces.scopes ON CLUSTER main_cluster MODIFY SETTING replicated_deduplication_window = 120000;

-- 0003_settled.sql

CREATE TABLE IF NOT EXISTS traces.touched ON CLUSTER main_cluster (
  tenant LowCardinality(String),
  bucket DateTime('UTC'),
  spans_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
  asked_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
ORDER BY (tenant, bucket)
TTL bucket + INTERVAL 14 DAY
SETTINGS replicated_deduplication_window = 120000,
  merge_selector_base = 8;

CREATE MATERIALIZED VIEW IF NOT EXISTS traces.touched_mv ON CLUSTER main_cluster TO traces.touched AS
SELECT tenant, toStartOfFiveMinutes(ts) AS bucket, max(now64(3, 'UTC')) AS spans_at,
  toDateTime64(0, 3, 'UTC') AS asked_at
FROM traces.spans_in GROUP BY tenant, bucket;

INSERT INTO traces.touched SELECT tenant, toStartOfFiveMinutes(ts) AS bucket, max(now64(3, 'UTC')) AS spans_at,
  toDateTime64(0, 3, 'UTC') AS asked_at
FROM traces.spans GROUP BY tenant, bucket;

CREATE TABLE IF NOT EXISTS traces.settled ON CLUSTER main_cluster (
  tenant LowCardinality(String),
  bucket DateTime('UTC'),
  version UInt64,
  seen_at DateTime64(3, 'UTC'),
  settled_at DateTime64(3, 'UTC'),
  spans UInt64
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
ORDER BY (tenant, bucket, version)
TTL bucket + INTERVAL 14 DAY;

CREATE TABLE IF NOT EXISTS traces.settlers ON CLUSTER main_cluster (
  since DateTime64(3, 'UTC'),
  owner String,
  seen_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
ORDER BY (since, owner)
TTL toDateTime(seen_at) + INTERVAL 14 DAY;

CREATE TABLE IF NOT EXISTS traces.edges ON CLUSTER main_cluster (
  tenant LowCardinality(String),
  source LowCardinality(String),
  bucket DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
  version UInt64 CODEC(ZSTD(1)),
  parent LowCardinality(String),
  child LowCardinality(String),
  calls UInt64 CODEC(T64, ZSTD(1)),
  errors UInt64 CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(bucket)
ORDER BY (tenant, source, bucket, version, parent, child)
TTL bucket + INTERVAL 14 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS traces.red ON CLUSTER main_cluster (
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
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(bucket)
ORDER BY (tenant, service, bucket, version, name, kind, status, minute)
TTL bucket + INTERVAL 14 DAY
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1;

-- 0004_remote_services.sql

CREATE TABLE IF NOT EXISTS traces.remote_services ON CLUSTER main_cluster (
  tenant LowCardinality(String),
  service LowCardinality(String),
  remote LowCardinality(String),
  last_seen SimpleAggregateFunction(max, DateTime('UTC'))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
ORDER BY (tenant, service, remote)
TTL last_seen + INTERVAL 14 DAY
SETTINGS replicated_deduplication_window = 120000,
  merge_selector_base = 8;

CREATE MATERIALIZED VIEW IF NOT EXISTS traces.remote_services_mv ON CLUSTER main_cluster TO traces.remote_services AS
SELECT tenant, service, multiIf(
    mapContains(attr_b, 'zipkin.remote'), attr_s['zipkin.remote.service'],
    attr_s['peer.service'] != '', attr_s['peer.service'],
    kind < 3 OR scope_id = 15593847893710192567, '',
    arrayFirst(
      name -> name != '' AND NOT match(name, '^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$') AND position(name, ':') = 0,
      [attr_s['server.address'], attr_s['net.peer.name'], attr_s['server.socket.domain'],
        attr_s['net.sock.peer.name'], attr_s['peer.hostname'], attr_s['db.namespace'], attr_s['db.name']])) AS remote,
  max(toDateTime(ts, 'UTC')) AS last_seen
FROM traces.spans_in
WHERE remote != ''
GROUP BY tenant, service, remote;

-- 0005_archive.sql

CREATE TABLE IF NOT EXISTS traces.archive ON CLUSTER main_cluster (
  tenant LowCardinality(String),
  trace_lo UInt64,
  trace_hi UInt64,
  part UInt16,
  archived_at DateTime64(3, 'UTC'),
  spans UInt32,
  size UInt32,
  bytes String CODEC(ZSTD(3))
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
ORDER BY (tenant, trace_lo, trace_hi, part)
SETTINGS index_granularity = 64;
