-- The ledger of the log: one row for each range of offsets that was stored, written after its spans.
-- A range that was written twice is one row: read it with FINAL.
CREATE TABLE IF NOT EXISTS {{db}}.ranges {{on_cluster}} (
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
) ENGINE = {{ReplacingMergeTree}}
ORDER BY (cluster_id, topic, topic_id, partition_number, first, last)
TTL toDateTime(inserted_at) + INTERVAL {{retention_days}} DAY
SETTINGS non_replicated_deduplication_window = 120000;

-- A window counts parts, whoever wrote them; a token must outlive the longest stall of one partition
-- while the others go on. 4 (margin) x 4 inserts a second x 2 days an insert touches x 3,600 s.
ALTER TABLE {{db}}.spans {{on_cluster}} MODIFY SETTING non_replicated_deduplication_window = 120000;
ALTER TABLE {{db}}.search {{on_cluster}} MODIFY SETTING non_replicated_deduplication_window = 120000;
ALTER TABLE {{db}}.trace_summaries {{on_cluster}} MODIFY SETTING non_replicated_deduplication_window = 120000;
ALTER TABLE {{db}}.operations {{on_cluster}} MODIFY SETTING non_replicated_deduplication_window = 120000;
ALTER TABLE {{db}}.resources {{on_cluster}} MODIFY SETTING non_replicated_deduplication_window = 120000;
ALTER TABLE {{db}}.scopes {{on_cluster}} MODIFY SETTING non_replicated_deduplication_window = 120000;
