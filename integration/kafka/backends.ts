// What several clusters of one test file share, as starting them is what costs: brokers, and
// ClickHouse behind its address.
import { ClickHouseFront, type FrontOptions } from '../harness/clickhouse_front.ts';
import { type Kafka, type KafkaOptions, startKafka } from '../harness/kafka.ts';

export interface BackendOptions {
  readonly kafka?: KafkaOptions;
  readonly clickhouse?: FrontOptions;
}

export class Backends {
  readonly kafka: Kafka;
  readonly clickhouse: ClickHouseFront;

  private constructor(kafka: Kafka, clickhouse: ClickHouseFront) {
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
