// What several clusters of one test file share, as starting them is what costs: brokers, and
// ClickHouse behind its address.
import { ClickHouseFront, type FrontOptions } from '../harness/clickhouse_front.ts';
import { type Kafka, type KafkaOptions, startKafka } from '../harness/kafka.ts';
import { quietClient } from '../harness/kafka_topic.ts';

export type Admin = ReturnType<ReturnType<typeof quietClient>['admin']>;

/** Asks a broker something, or tells it to change something. */
export async function asked<T>(bootstrap: string, ask: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = quietClient(bootstrap).admin();
  await admin.connect();
  try {
    return await ask(admin);
  } finally {
    await admin.disconnect();
  }
}

export interface Written {
  readonly value: Buffer | null;
  readonly partition: number;
  readonly headers?: Record<string, string>;
}

/** Writes records as any other producer may, acknowledged. */
export async function written(
  bootstrap: string,
  topic: string,
  messages: readonly Written[],
): Promise<void> {
  const producer = quietClient(bootstrap).producer();
  await producer.connect();
  try {
    await producer.send({ topic, acks: -1, messages: [...messages] });
  } finally {
    await producer.disconnect();
  }
}

/** What the group of a cluster, which is named like its topic, has committed for a partition. */
export function committedAt(bootstrap: string, topic: string, partition: number) {
  return asked(bootstrap, async (admin) => {
    const [told] = await admin.fetchOffsets({ groupId: topic, topics: [topic] });
    return told?.partitions.find((one) => one.partition === partition);
  });
}

export interface BackendOptions {
  readonly kafka?: KafkaOptions;
  readonly clickhouse?: FrontOptions;
}

export class Backends {
  readonly kafka: Kafka;
  readonly clickhouse: ClickHouseFront;

  constructor(kafka: Kafka, clickhouse: ClickHouseFront) {
    this.kafka = kafka;
    this.clickhouse = clickhouse;
  }

  static async start(options: BackendOptions = {}): Promise<Backends> {
    const kafka = await startKafka(options.kafka);
    try {
      return new Backends(kafka, await ClickHouseFront.start(options.clickhouse));
    } catch (error) {
      await kafka.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.clickhouse.stop();
    await this.kafka.stop();
  }
}
