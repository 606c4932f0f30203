// kafkajs 2.2.4: the widest range of brokers. Its traps, each of which this file steps around:
// sequence numbers are counted back when a send fails (so a driver dies with its first failure),
// grouping is quadratic (send_plan.ts), and of the compressions only gzip is built in.

import type kafkajs from 'kafkajs';
import { type Compression, type KafkaConnection, REQUEST_MS } from './connection.ts';
import type { Driver, Message } from './driver.ts';
import { kafkajsClient } from './kafkajs_client.ts';
import { addCodec, COMPRESSION_TYPES } from './kafkajs_codecs.ts';

const ACKS_ALL = -1;

/** Bound of one close: it waits for what runs, and what runs may wait for a dead broker. */
const CLOSE_MS = 1000;

export interface DriverOptions {
  readonly connection: KafkaConnection;
  readonly topic: string;
  readonly compression: Compression;
}

/** Connects, takes a producer id, reads the topic. Rejects when one of them fails. */
export async function openKafkajs(options: DriverOptions): Promise<Driver> {
  const { topic } = options;
  await addCodec(options.compression);
  const client = kafkajsClient(options.connection);
  const producer = client.producer({
    idempotent: true,
    allowAutoTopicCreation: false,
    maxInFlightRequests: 1,
    createPartitioner: () => partitionOf,
  });
  const close = async (): Promise<void> => {
    await Promise.race([producer.disconnect().catch(() => undefined), sleep(CLOSE_MS)]);
  };
  try {
    await producer.connect();
    const partitions = await countPartitions(client, topic);
    return {
      partitions,
      close,
      send: async (messages) => {
        await producer.send({
          topic,
          acks: ACKS_ALL,
          timeout: REQUEST_MS,
          compression: COMPRESSION_TYPES[options.compression],
          messages: messages.map(toKafkajs),
        });
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function countPartitions(client: kafkajs.Kafka, topic: string): Promise<number> {
  const admin = client.admin();
  try {
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions.length ?? 0;
  } finally {
    await admin.disconnect();
  }
}

function partitionOf({ message }: kafkajs.PartitionerArgs): number {
  return message.partition ?? 0;
}

function toKafkajs(message: Message): kafkajs.Message {
  return {
    partition: message.partition,
    value: asBuffer(message.value),
    headers: Object.fromEntries(message.headers),
    timestamp: String(message.timestampMs),
  };
}

/** The same memory, not a copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
