// The ledger of the log in ClickHouse: writing a range's row, and the equation that follows from all
// of them (P4).

import { type RangeRow, type RangeStore, rangeKey } from '../range_store.ts';
import type { ClickHouseAccess } from './client.ts';
import { toStoreError } from './errors.ts';

export class ClickHouseRangeStore implements RangeStore {
  readonly #access: ClickHouseAccess;

  constructor(access: ClickHouseAccess) {
    this.#access = access;
  }

  async insert(row: RangeRow): Promise<void> {
    try {
      const client = await this.#access.ingest();
      await client.insert({
        table: `${this.#access.database}.ranges`,
        values: [toColumns(row)],
        format: 'JSONEachRow',
        clickhouse_settings: {
          insert_deduplication_token: `${rangeKey(row)}:range`,
          insert_deduplicate: 1,
          async_insert: 0,
        },
      });
    } catch (error) {
      throw toStoreError(error, 'insert the ledger row of a range');
    }
  }
}

function toColumns(row: RangeRow) {
  const { source } = row;
  return {
    cluster_id: source.clusterId,
    topic: source.topic,
    topic_id: source.topicId,
    partition_number: source.partition,
    first: row.first,
    last: row.last,
    hash: row.hash,
    version: row.version,
    records: row.records,
    spans: row.spans,
    rejected: row.rejected,
    dead_lettered: row.deadLettered,
    lost: row.lost,
    buckets: row.buckets,
  };
}

/** What became of one partition's records, from its first range on. */
export interface PartitionLedger {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  /** Offsets from the first range to the end of the last. */
  readonly offsets: number;
  /** Of those, how many are in no range: 0 unless something is wrong or under way. */
  readonly missing: number;
  /** Offsets that are in two ranges: 0 unless a zombie wrote, or a group was reset by hand. */
  readonly twice: number;
  readonly records: number;
  readonly spans: number;
  readonly rejected: number;
  readonly deadLettered: number;
  readonly lost: number;
}

/**
 * received = stored + dead-lettered + rejected (+ lost), per partition. Ranges that retention has
 * taken from the table no longer count.
 */
export async function readLedger(access: ClickHouseAccess): Promise<readonly PartitionLedger[]> {
  const client = await access.query();
  const result = await client.query({ query: ledgerStatement(access.database), format: 'JSON' });
  const { data } = await result.json<Record<string, string | number>>();
  return data.map((row) => ({
    topic: String(row['topic']),
    topicId: String(row['topic_id']),
    partition: Number(row['partition_number']),
    offsets: Number(row['offsets']),
    missing: Number(row['missing']),
    twice: Number(row['twice']),
    records: Number(row['records']),
    spans: Number(row['spans']),
    rejected: Number(row['rejected_spans']),
    deadLettered: Number(row['dead_lettered_records']),
    lost: Number(row['lost_records']),
  }));
}

/** A range's overlap with, or distance from, all that came before it in the order of offsets. */
function ledgerStatement(database: string): string {
  return `SELECT topic, topic_id, partition_number,
  max(last) + 1 - min(first) AS offsets,
  sum(if(prior > 0 AND first > prior, first - prior, 0)) AS missing,
  sum(if(prior > first, least(prior, last + 1) - first, 0)) AS twice,
  sum(records) AS records,
  sum(spans) AS spans,
  sum(arraySum(mapValues(rejected))) AS rejected_spans,
  sum(arraySum(mapValues(dead_lettered))) AS dead_lettered_records,
  sum(lost) AS lost_records
FROM (
  SELECT *, max(last + 1) OVER (
    PARTITION BY cluster_id, topic, topic_id, partition_number ORDER BY first, last
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS prior
  FROM ${database}.ranges FINAL
)
GROUP BY cluster_id, topic, topic_id, partition_number
ORDER BY topic, topic_id, partition_number`;
}
