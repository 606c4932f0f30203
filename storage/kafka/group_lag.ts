// How far a group is behind, asked from outside: nobody needs to be a member for that.

import type { LoggedRecord } from '../partition_log.ts';
import type { KafkaConnection } from './connection.ts';
import { kafkajsClient } from './kafkajs_client.ts';
import { LogClient } from './log_client.ts';

export interface PartitionLag {
  readonly partition: number;
  /** The next offset to be stored; undefined: nothing was committed yet. */
  readonly committed: number | undefined;
  readonly endOffset: number;
  readonly records: number;
  /** Of their values, uncompressed: as if each were as large as the oldest ones are. */
  readonly bytes: number;
  /** Of the oldest record that is not committed, Unix milliseconds; undefined: none. */
  readonly oldestMs: number | undefined;
  /** Offsets that retention has taken before they were committed. */
  readonly lost: number;
}

/** The first record tells the time, and this many bytes how large records are. */
const PROBE_BYTES = 64 * 1024;

/** Rejects when no broker answers or the topic is not there. */
export async function readLag(
  connection: KafkaConnection,
  topic: string,
  group: string,
): Promise<readonly PartitionLag[]> {
  const admin = kafkajsClient(connection).admin();
  const client = new LogClient(connection, topic);
  try {
    const { topicId, partitions } = await client.facts();
    await admin.connect();
    const [offsets] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    const committedBy = new Map(
      offsets?.partitions.map(({ partition, offset }) => [partition, Number(offset)]),
    );
    const lags: PartitionLag[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      const told = committedBy.get(partition) ?? -1;
      const { startOffset, endOffset } = await client.bounds(partition);
      const next = Math.max(told, startOffset);
      const behind = next < endOffset;
      const sample = behind
        ? (await client.fetch(topicId, partition, next, PROBE_BYTES)).records
        : [];
      const records = Math.max(0, endOffset - next);
      lags.push({
        partition,
        committed: told < 0 ? undefined : told,
        endOffset,
        records,
        bytes: Math.round(records * meanBytes(sample)),
        oldestMs: sample[0]?.timestampMs,
        lost: told < 0 ? 0 : Math.max(0, startOffset - told),
      });
    }
    return lags;
  } finally {
    await client.close();
    await admin.disconnect().catch(() => undefined);
  }
}

function meanBytes(records: readonly LoggedRecord[]): number {
  const bytes = records.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0);
  return records.length === 0 ? 0 : bytes / records.length;
}
