// The topic that records are published to: created as stated, or only checked where the operator
// forbids creating. What is wrong with it is one plain sentence.

import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import type { KafkaConnection } from './connection.ts';
import { kafkajsClient } from './kafkajs_client.ts';

export interface TopicWish {
  readonly topic: string;
  readonly partitions: number;
  /** Copies of each record; the brokers must be at least so many. */
  readonly replication: number;
  /** False: the topic must be there. */
  readonly create: boolean;
  /** The largest batch that will be published, which the topic must take. */
  readonly batchBytesMax: number;
}

export interface TopicFacts {
  readonly partitions: number;
  readonly replication: number;
  readonly created: boolean;
}

/** The topic, or what is asked of it, is wrong: only an operator can help. */
export class TopicError extends Error {}

/**
 * Resolves with what is there. Throws TopicError; other errors mean that no broker has answered.
 * An existing topic is never changed.
 */
export async function ensureTopic(
  connection: KafkaConnection,
  wish: TopicWish,
): Promise<TopicFacts> {
  const admin = kafkajsClient(connection).admin();
  try {
    await admin.connect();
    const found = await describe(admin, wish.topic);
    if (found !== undefined) {
      await checkSize(admin, wish);
      return { ...found, created: false };
    }
    if (!wish.create) {
      throw new TopicError(
        `the topic ${wish.topic} is not there and kafka.create_topics is false: create it with ` +
          `${wish.partitions} partitions, replication ${wish.replication} and ` +
          `min.insync.replicas ${insync(wish.replication)}`,
      );
    }
    await create(admin, wish);
    await untilKnown(admin, wish.topic);
    return { partitions: wish.partitions, replication: wish.replication, created: true };
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** acks=all over two of three: one broker may die without a loss, and without a stop. */
function insync(replication: number): number {
  return replication >= 3 ? 2 : 1;
}

async function describe(
  admin: kafkajs.Admin,
  topic: string,
): Promise<{ partitions: number; replication: number } | undefined> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const partitions = topics[0]?.partitions ?? [];
    if (partitions.length === 0) return undefined;
    return { partitions: partitions.length, replication: partitions[0]?.replicas.length ?? 0 };
  } catch (error) {
    if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
    throw error;
  }
}

async function create(admin: kafkajs.Admin, wish: TopicWish): Promise<void> {
  const { topic, partitions, replication } = wish;
  const config = {
    'min.insync.replicas': String(insync(replication)),
    // Room for what a broker adds to a batch; brokers count the bytes as compressed.
    'max.message.bytes': String(wish.batchBytesMax + BATCH_HEADER_BYTES),
  };
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  try {
    await admin.createTopics({
      // Its own waiting gives up at the first broker that has not heard of the topic yet.
      waitForLeaders: false,
      topics: [{ topic, numPartitions: partitions, replicationFactor: replication, configEntries }],
    });
  } catch (error) {
    const inner = error instanceof kafkajs.KafkaJSAggregateError ? error.errors[0] : error;
    const type = typeOf(inner);
    // Another collector was quicker.
    if (type === 'TOPIC_ALREADY_EXISTS') return;
    if (type === 'INVALID_REPLICATION_FACTOR') {
      throw new TopicError(
        `the topic ${topic} cannot have ${replication} replicas with the brokers that are up: ` +
          'start more, or lower kafka.replication',
      );
    }
    if (type === 'TOPIC_AUTHORIZATION_FAILED' || type === 'CLUSTER_AUTHORIZATION_FAILED') {
      throw new TopicError(
        `the topic ${topic} is not there and this user may not create it: create it, or grant that`,
      );
    }
    throw inner;
  }
}

/** A new topic reaches the other brokers, and gets its leaders, within about a second. */
async function untilKnown(admin: kafkajs.Admin, topic: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      if ((await describe(admin, topic)) !== undefined) return;
    } catch (error) {
      if (typeOf(error) !== 'LEADER_NOT_AVAILABLE') throw error;
    }
    if (tries === KNOWN_TRIES_MAX) throw new Error(`the new topic ${topic} has no leader yet`);
    await sleep(KNOWN_WAIT_MS);
  }
}

const KNOWN_WAIT_MS = 100;
const KNOWN_TRIES_MAX = 100;

/** Of a record batch in format 2, before its records; and some more for brokers' own fields. */
const BATCH_HEADER_BYTES = 512;

/** A batch that the topic does not take would be refused for ever: better said at the start. */
async function checkSize(admin: kafkajs.Admin, wish: TopicWish): Promise<void> {
  const takes = await maxMessageBytes(admin, wish.topic);
  if (takes === undefined || takes >= wish.batchBytesMax) return;
  throw new TopicError(
    `the topic ${wish.topic} takes batches of ${takes} bytes, and kafka.record_bytes is ` +
      `${wish.batchBytesMax}: raise its max.message.bytes, or lower kafka.record_bytes`,
  );
}

/** undefined where this user may not look. */
async function maxMessageBytes(admin: kafkajs.Admin, topic: string): Promise<number | undefined> {
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: topic,
          configNames: ['max.message.bytes'],
        },
      ],
    });
    const entry = resources[0]?.configEntries.find(
      ({ configName }) => configName === 'max.message.bytes',
    );
    return entry === undefined ? undefined : Number(entry.configValue);
  } catch (error) {
    if (typeOf(error)?.endsWith('AUTHORIZATION_FAILED') === true) return undefined;
    throw error;
  }
}

function typeOf(error: unknown): string | undefined {
  return error instanceof kafkajs.KafkaJSProtocolError ? error.type : undefined;
}
