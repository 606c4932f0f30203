// The three services as real processes: collector, real Kafka, ingesters, ClickHouse; and the count
// of what became of every span.
import assert from 'node:assert/strict';
import { ClickHouseFront } from '../harness/clickhouse_front.ts';
import { eventually } from '../harness/eventually.ts';
import { httpExporter } from '../harness/exporter.ts';
import { type Kafka, startKafka } from '../harness/kafka.ts';
import { quietClient } from '../harness/kafka_topic.ts';
import { Load, SPANS_PER_TRACE } from '../harness/load.ts';
import { fetchMetrics } from '../harness/metrics.ts';
import { type Finished, runSpanhouse, Spanhouse } from '../harness/spanhouse.ts';

export const SESSION_MS = 3_000;
const HEAL_MS = 90_000;

export interface Count {
  readonly rows: number;
  readonly distinct: number;
}

export class Cluster {
  readonly kafka: Kafka;
  readonly clickhouse: ClickHouseFront;
  readonly collector: Spanhouse;
  readonly topic: string;
  readonly #all: Spanhouse[];

  private constructor(
    kafka: Kafka,
    clickhouse: ClickHouseFront,
    collector: Spanhouse,
    topic: string,
  ) {
    this.kafka = kafka;
    this.clickhouse = clickhouse;
    this.collector = collector;
    this.topic = topic;
    this.#all = [collector];
  }

  static async start(topic: string): Promise<Cluster> {
    const kafka = await startKafka();
    const clickhouse = await ClickHouseFront.start();
    const flags = kafkaFlags(kafka, topic);
    const collector = await Spanhouse.start({ role: 'collector', flags });
    return new Cluster(kafka, clickhouse, collector, topic);
  }

  async ingester(instance = ''): Promise<Spanhouse> {
    const { kafka, clickhouse, topic } = this;
    const ingester = await Spanhouse.start({
      role: 'ingester',
      env: clickhouse.env,
      flags: [
        ...kafkaFlags(kafka, topic),
        ...clickhouse.flags,
        `--ingester-session-time=${SESSION_MS}ms`,
        ...(instance === '' ? [] : [`--ingester-instance=${instance}`]),
      ],
    });
    this.#all.push(ingester);
    return ingester;
  }

  async query(): Promise<Spanhouse> {
    const { env, flags } = this.clickhouse;
    const query = await Spanhouse.start({ role: 'query', env, flags });
    this.#all.push(query);
    return query;
  }

  /** A command to its end, told of this cluster. */
  run(...command: readonly string[]): Promise<Finished> {
    const flags = [...kafkaFlags(this.kafka, this.topic), ...this.clickhouse.flags];
    return runSpanhouse([...command, ...flags], this.clickhouse.env);
  }

  /** Two senders, each one request after the other. */
  load(): Load {
    const address = `http://127.0.0.1:${this.collector.ports.otlpHttp}`;
    return new Load('kafka', [httpExporter(address), httpExporter(address)]);
  }

  async count(): Promise<Count> {
    const [row] = await this.clickhouse.rows(
      'SELECT count() AS rows, uniqExact(tenant, trace_hi, trace_lo, span_id, kind, h) AS distinct ' +
        'FROM spanhouse.spans',
    );
    return { rows: Number(row?.['rows']), distinct: Number(row?.['distinct']) };
  }

  /** Waits until every record is in a range; the end of all partitions together. */
  async drained(): Promise<number> {
    const end = await this.#endOfLog();
    await eventually(`${end} records in ranges`, HEAL_MS, async () =>
      (await this.#offsetsInRanges()) === end ? true : undefined,
    );
    return end;
  }

  /** P1, P2 and P4, from outside: every acknowledged span, none twice, every record in the ledger. */
  async assertExactlyOnce(load: Load): Promise<void> {
    await this.drained();
    assert.deepEqual(load.refused, []);
    assert.deepEqual(await this.#lost(load), [], 'acknowledged traces that are not stored whole');
    const { rows, distinct } = await this.count();
    // A request that was sent again after a refusal may lie in the log twice: it is shown once.
    if (load.retries === 0) assert.equal(rows, distinct, 'spans stored twice');
    const [ledger] = await this.clickhouse.rows(
      'SELECT sum(spans) AS spans FROM spanhouse.ranges FINAL',
    );
    assert.equal(Number(ledger?.['spans']), rows, 'the ledger counts what is stored');
  }

  async #lost(load: Load): Promise<string[]> {
    const whole = await this.clickhouse.rows(
      "SELECT lower(concat(leftPad(hex(trace_hi), 16, '0'), leftPad(hex(trace_lo), 16, '0'))) " +
        'AS id FROM spanhouse.spans GROUP BY trace_hi, trace_lo ' +
        `HAVING uniqExact(span_id) = ${SPANS_PER_TRACE}`,
    );
    const stored = new Set(whole.map((row) => String(row['id'])));
    return load.acknowledged.filter((id) => !stored.has(id)).slice(0, 10);
  }

  async #offsetsInRanges(): Promise<number> {
    const rows = await this.clickhouse.rows(
      'SELECT first, last FROM spanhouse.ranges FINAL ' +
        'ORDER BY topic_id, partition_number, first',
    );
    return rows.reduce((sum, row) => sum + Number(row['last']) - Number(row['first']) + 1, 0);
  }

  async #endOfLog(): Promise<number> {
    const admin = quietClient(this.kafka.direct).admin();
    await admin.connect();
    try {
      const offsets = await admin.fetchTopicOffsets(this.topic);
      return offsets.reduce((sum, { high }) => sum + Number(high), 0);
    } finally {
      await admin.disconnect();
    }
  }

  async stop(): Promise<void> {
    for (const process of this.#all) await process.remove();
    await this.clickhouse.stop();
    await this.kafka.stop();
  }
}

export function kafkaFlags(kafka: Kafka, topic: string): string[] {
  return [
    `--kafka-brokers=${kafka.direct}`,
    `--kafka-topic=${topic}`,
    '--kafka-replication=1',
    `--kafka-group=${topic}`,
    `--kafka-dead-letter-topic=${topic}-dead`,
  ];
}

/** A counter of one ingester; 0 where it does not answer. */
export async function counter(ingester: Spanhouse, name: string): Promise<number> {
  try {
    return (await fetchMetrics(ingester.metrics)).count(name);
  } catch {
    return 0;
  }
}
