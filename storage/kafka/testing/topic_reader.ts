// Reads a topic back, for tests: around our own code, by the other client than the one under test
// where the two differ.

import type kafkajs from 'kafkajs';
import { kafkajsClient } from '../kafkajs_client.ts';
import { addCodec } from '../kafkajs_codecs.ts';

export interface ReadRecord {
  readonly partition: number;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestampMs: number;
}

/** All records up to the end of the topic as it was when this was called. */
export async function readTopic(bootstrap: string, topic: string): Promise<ReadRecord[]> {
  await addCodec('lz4');
  await addCodec('zstd');
  const client = kafkajsClient({ brokers: [bootstrap], clientId: 'test-reader' });
  const open = new Map(await ends(client, topic));
  const records: ReadRecord[] = [];
  if (open.size === 0) return records;
  const groupId = `test-${crypto.randomUUID()}`;
  const consumer = client.consumer({ groupId, maxWaitTimeInMs: 200 });
  const done = Promise.withResolvers<void>();
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        records.push(toRecord(partition, message));
        if (Number(message.offset) + 1 >= (open.get(partition) ?? 0)) open.delete(partition);
        if (open.size === 0) done.resolve();
      },
    });
    await done.promise;
    return records;
  } finally {
    await consumer.disconnect();
  }
}

async function ends(client: kafkajs.Kafka, topic: string): Promise<[number, number][]> {
  const admin = client.admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets
      .map(({ partition, high }): [number, number] => [partition, Number(high)])
      .filter(([, high]) => high > 0);
  } finally {
    await admin.disconnect();
  }
}

function toRecord(partition: number, message: kafkajs.KafkaMessage): ReadRecord {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, `${value}`]);
  return {
    partition,
    value: message.value ?? Buffer.alloc(0),
    headers: Object.fromEntries(headers) as Record<string, string>,
    timestampMs: Number(message.timestamp),
  };
}
