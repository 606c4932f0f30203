// What lies in a topic, read around everything of ours: for counting acknowledged spans in it.
import { zstdDecompressSync } from 'node:zlib';
import { compressionsAlgorithms } from '@platformatic/kafka';
import kafkajs from 'kafkajs';
import { decodeSpans } from './otlp.ts';

// kafkajs reads gzip only; what our collector may write beside that is two lines each.
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
  compress: async () => Buffer.alloc(0),
  decompress: async (buffer: Buffer) => zstdDecompressSync(buffer),
});
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => ({
  compress: async () => Buffer.alloc(0),
  decompress: async (buffer: Buffer) => compressionsAlgorithms.lz4.decompressSync(buffer),
});

/** Two busy cores read slower than one would think. */
const READ_MS = 60_000;

export interface TopicRecord {
  readonly partition: number;
  /** '' without one. */
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestampMs: number;
}

export function quietClient(bootstrap: string): kafkajs.Kafka {
  return new kafkajs.Kafka({
    brokers: bootstrap.split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  });
}

/** Everything from the beginning of the topic to what was its end when this was called. */
export async function readTopic(bootstrap: string, topic: string): Promise<TopicRecord[]> {
  const client = quietClient(bootstrap);
  const ends = await topicEnds(client, topic);
  const records: TopicRecord[] = [];
  const missing = new Map([...ends].filter(([, end]) => end > 0));
  if (missing.size === 0) return records;
  const consumer = client.consumer({
    groupId: `test-${crypto.randomUUID()}`,
    maxWaitTimeInMs: 200,
  });
  const done = Promise.withResolvers<void>();
  const late = setTimeout(() => {
    done.reject(new Error(`${topic} was not read within ${READ_MS} ms`));
  }, READ_MS);
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        records.push(toRecord(partition, message));
        if (Number(message.offset) + 1 >= (missing.get(partition) ?? Infinity)) {
          missing.delete(partition);
        }
        if (missing.size === 0) done.resolve();
      },
    });
    await done.promise;
    return records;
  } finally {
    clearTimeout(late);
    await consumer.disconnect();
  }
}

export interface TraceInLog {
  /** Span records, repetitions included. */
  spans: number;
  readonly distinct: Set<string>;
}

/** By trace id: what the topic holds of each trace. */
export async function tracesInTopic(
  bootstrap: string,
  topic: string,
): Promise<Map<string, TraceInLog>> {
  const traces = new Map<string, TraceInLog>();
  for (const { value } of await readTopic(bootstrap, topic)) {
    for (const { traceId, spanId } of decodeSpans(value)) {
      const trace = traces.get(traceId) ?? { spans: 0, distinct: new Set() };
      traces.set(traceId, trace);
      trace.spans++;
      trace.distinct.add(spanId);
    }
  }
  return traces;
}

async function topicEnds(client: kafkajs.Kafka, topic: string): Promise<Map<number, number>> {
  const admin = client.admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
  } finally {
    await admin.disconnect();
  }
}

function toRecord(partition: number, message: kafkajs.KafkaMessage): TopicRecord {
  const headers = Object.entries(message.headers ?? {}).map(
    ([name, value]) => [name, String(value)] as const,
  );
  return {
    partition,
    key: message.key?.toString() ?? '',
    value: message.value ?? Buffer.alloc(0),
    headers: Object.fromEntries(headers),
    timestampMs: Number(message.timestamp),
  };
}
