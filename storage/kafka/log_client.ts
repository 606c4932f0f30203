// Reading the log without being in a group: on connections of its own, since a commit would wait
// behind a long poll on the same one (measured: two seconds).

import { Consumer, findErrorBy } from '@platformatic/kafka';
import {
  type Fetched,
  type LogBounds,
  type LoggedRecord,
  OffsetGoneError,
  type RecordHeader,
} from '../partition_log.ts';
import type { KafkaConnection } from './connection.ts';
import { platformaticOptions } from './platformatic_driver.ts';

/** How long the broker holds a fetch that finds nothing; with LINGER it bounds a range's age. */
const FETCH_WAIT_MS = 400;

/** Bit of a batch's attributes: transaction markers, which hold no record of anyone's. */
const CONTROL_BATCH = 1 << 5;

const EARLIEST = -2n;
const LATEST = -1n;

export interface TopicFacts {
  readonly clusterId: string;
  readonly topicId: string;
  readonly partitions: number;
}

/** Group ids are needed by the library's constructor; this client never joins one. */
const NO_GROUP = 'spanhouse-reader';

export class LogClient {
  readonly #consumer: Consumer<Buffer, Buffer, Buffer, Buffer>;
  readonly #topic: string;

  constructor(connection: KafkaConnection, topic: string) {
    this.#topic = topic;
    this.#consumer = new Consumer({
      ...platformaticOptions(connection),
      groupId: NO_GROUP,
      autocommit: false,
      autocreateTopics: false,
      retries: 1,
    });
    this.#consumer.topics.track(topic);
  }

  /** Asks the brokers anew. Rejects when none answers or the topic is not there. */
  async facts(): Promise<TopicFacts> {
    const metadata = await this.#consumer
      .metadata({ topics: [this.#topic], forceUpdate: true })
      .catch((error: unknown) => {
        const isMissing = error instanceof Error && error.message.startsWith('Unknown topic');
        throw isMissing ? this.#missing() : error;
      });
    const topic = metadata.topics.get(this.#topic);
    if (topic === undefined || topic.partitionsCount === 0) throw this.#missing();
    return { clusterId: metadata.id, topicId: topic.id, partitions: topic.partitionsCount };
  }

  /** The records of a partition that may be read. */
  async bounds(partition: number): Promise<LogBounds> {
    const [startOffset, endOffset] = await Promise.all([
      this.#offsetAt(partition, EARLIEST),
      this.#offsetAt(partition, LATEST),
    ]);
    return { startOffset, endOffset };
  }

  /** See PartitionLog. `bytesMax` is a wish: a larger batch comes whole. */
  async fetch(
    topicId: string,
    partition: number,
    offset: number,
    bytesMax: number,
  ): Promise<Fetched> {
    const metadata = await this.#consumer.metadata({ topics: [this.#topic] });
    const leader = metadata.topics.get(this.#topic)?.partitions[partition]?.leader;
    if (leader === undefined) throw new Error(`partition ${partition} has no leader at the moment`);
    const wanted = {
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: bytesMax,
    };
    try {
      const answer = await this.#consumer.fetch({
        node: leader,
        minBytes: 1,
        maxBytes: bytesMax,
        maxWaitTime: FETCH_WAIT_MS,
        topics: [{ topicId, partitions: [wanted] }],
      });
      return toFetched(answer.responses[0]?.partitions[0], offset);
    } catch (error) {
      if (error instanceof Error && findErrorBy(error, 'apiId', 'OFFSET_OUT_OF_RANGE')) {
        throw new OffsetGoneError(offset);
      }
      this.#consumer.clearMetadata();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#consumer.close(true).catch(() => undefined);
  }

  #missing(): Error {
    return new Error(`the topic ${this.#topic} is not there: whoever writes to it creates it`);
  }

  async #offsetAt(partition: number, timestamp: bigint): Promise<number> {
    const topic = this.#topic;
    const partitions = { [topic]: [partition] };
    const offsets = await this.#consumer.listOffsets({ topics: [topic], partitions, timestamp });
    const offset = offsets.get(topic)?.[partition];
    if (offset === undefined || offset < 0n) {
      throw new Error(`no broker told the bounds of partition ${partition}`);
    }
    return toNumber(offset);
  }
}

type Answer = Awaited<ReturnType<Consumer['fetch']>>['responses'][number]['partitions'][number];

/** A session's answer leaves out a partition that has nothing new. */
function toFetched(answer: Answer | undefined, offset: number): Fetched {
  const records: LoggedRecord[] = [];
  let nextOffset = offset;
  for (const batch of answer?.records ?? []) {
    nextOffset = Math.max(nextOffset, toNumber(batch.firstOffset) + batch.lastOffsetDelta + 1);
    if ((batch.attributes & CONTROL_BATCH) !== 0) continue;
    for (const record of batch.records) {
      const at = toNumber(batch.firstOffset) + record.offsetDelta;
      // Batches come whole, also where the first record asked for is in their middle.
      if (at < offset) continue;
      records.push({
        offset: at,
        timestampMs: toNumber(batch.firstTimestamp + record.timestampDelta),
        key: record.key ?? undefined,
        value: record.value ?? undefined,
        headers: record.headers.map(toHeader),
      });
    }
  }
  const stable = answer?.lastStableOffset ?? -1n;
  const end = stable >= 0n ? stable : (answer?.highWatermark ?? -1n);
  return { records, nextOffset, endOffset: Math.max(nextOffset, toNumber(end)) };
}

function toHeader([key, value]: readonly [Buffer | null, Buffer | null]): RecordHeader {
  return { key: key?.toString() ?? '', value: value ?? Buffer.alloc(0) };
}

function toNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError('an offset or time is beyond 2^53');
  return number;
}
