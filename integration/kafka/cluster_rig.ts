// The three services as real processes: collector, real Kafka, ingesters, ClickHouse; and the count
// of what became of every span. Several may share brokers and ClickHouse: each has a topic, a group
// and a service name of its own, and counts only those.
import assert from 'node:assert/strict';
import type { ClickHouseFront } from '../harness/clickhouse_front.ts';
import { eventually } from '../harness/eventually.ts';
import { httpExporter } from '../harness/exporter.ts';
import type { Kafka } from '../harness/kafka.ts';
import { findDamage, Load } from '../harness/load.ts';
import { fetchMetrics } from '../harness/metrics.ts';
import { type Finished, type Options, runSpanhouse, Spanhouse } from '../harness/spanhouse.ts';
import { asked, type Backends } from './backends.ts';

export const SESSION_MS = 3_000;
/** A held partition tries again every 30 s, a busy machine is twice as slow. */
export const HEAL_MS = 120_000;
/** So many spans are asked for, in traces spread over all, to see each of them shown once. */
const SHOWN_MAX = 2_400;

export interface ClusterOptions {
  /** Roles that reach the brokers through their proxies; the others go around them. */
  readonly proxied?: readonly ('collector' | 'ingester')[];
  /** More of the collector's, e.g. `env` or flags. */
  readonly collector?: Options;
}

export interface IngesterOptions {
  readonly instance?: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Count {
  readonly rows: number;
  readonly distinct: number;
}

/** What P1 and P2 forbid; and what is only shown once, and lies there twice. */
export interface Toll {
  readonly lost: number;
  readonly doubled: number;
  readonly storedAgain: number;
}

export class Cluster {
  readonly kafka: Kafka;
  readonly clickhouse: ClickHouseFront;
  readonly topic: string;
  readonly #options: ClusterOptions;
  readonly #all: Spanhouse[] = [];
  #collector: Spanhouse | undefined;
  #other: Spanhouse | undefined;
  #query: Spanhouse | undefined;

  private constructor({ kafka, clickhouse }: Backends, topic: string, options: ClusterOptions) {
    this.kafka = kafka;
    this.clickhouse = clickhouse;
    this.topic = topic;
    this.#options = options;
  }

  /** With a collector, and no ingester yet. `topic` names all that is this cluster's own. */
  static async on(backends: Backends, topic: string, options: ClusterOptions = {}) {
    const cluster = new Cluster(backends, topic, options);
    await cluster.startCollector();
    return cluster;
  }

  get collector(): Spanhouse {
    assert.ok(this.#collector !== undefined);
    return this.#collector;
  }

  /** The first one, or another in its place, on the same ports. */
  async startCollector(): Promise<void> {
    const own = this.#options.collector ?? {};
    const flags = [...this.flags('collector'), ...(own.flags ?? [])];
    const ports = this.#collector === undefined ? {} : { ports: this.#collector.ports };
    this.#collector = await Spanhouse.start({ ...own, ...ports, role: 'collector', flags });
    this.#all.push(this.#collector);
  }

  /** Another collector beside the first; killed and put in its own place by each further call. */
  async otherCollector(): Promise<Spanhouse> {
    await this.#other?.kill();
    const ports = this.#other === undefined ? {} : { ports: this.#other.ports };
    const flags = this.flags('collector');
    this.#other = await Spanhouse.start({ ...ports, role: 'collector', flags });
    this.#all.push(this.#other);
    return this.#other;
  }

  async ingester({ instance, flags = [], env }: IngesterOptions = {}): Promise<Spanhouse> {
    const { clickhouse } = this;
    const ingester = await Spanhouse.start({
      role: 'ingester',
      env: { ...clickhouse.env, ...env },
      flags: [
        ...this.flags('ingester').filter((flag) => !flags.some((own) => sameFlag(own, flag))),
        ...clickhouse.flags,
        `--ingester-session-time=${SESSION_MS}ms`,
        ...(instance === undefined ? [] : [`--ingester-instance=${instance}`]),
        ...flags,
      ],
    });
    this.#all.push(ingester);
    return ingester;
  }

  async query(): Promise<Spanhouse> {
    const { env, flags } = this.clickhouse;
    this.#query ??= await Spanhouse.start({ role: 'query', env, flags });
    return this.#query;
  }

  /** Another in its place, after it was killed. */
  async restartQuery(): Promise<Spanhouse> {
    await this.#query?.remove();
    this.#query = undefined;
    return this.query();
  }

  /** A command to its end, told of this cluster. */
  run(...command: readonly string[]): Promise<Finished> {
    const flags = [...this.flags('command'), ...this.clickhouse.flags];
    return runSpanhouse([...command, ...flags], this.clickhouse.env);
  }

  flags(role: 'collector' | 'ingester' | 'command'): string[] {
    const { kafka, topic } = this;
    const proxied = role !== 'command' && this.#options.proxied?.includes(role) === true;
    return [
      `--kafka-brokers=${proxied ? kafka.bootstrap : kafka.direct}`,
      `--kafka-topic=${topic}`,
      `--kafka-replication=${kafka.direct.split(',').length}`,
      `--kafka-group=${topic}`,
      `--kafka-dead-letter-topic=${topic}-dead`,
    ];
  }

  /** Two senders, each one request after the other. */
  load(): Load {
    const address = `http://127.0.0.1:${this.collector.ports.otlpHttp}`;
    return new Load(this.topic, [httpExporter(address), httpExporter(address)]);
  }

  async count(): Promise<Count> {
    const [row] = await this.clickhouse.rows(
      'SELECT count() AS rows, uniqExact(tenant, trace_hi, trace_lo, span_id, kind, h) AS distinct ' +
        `FROM spanhouse.spans WHERE service = '${this.topic}'`,
    );
    return { rows: Number(row?.['rows']), distinct: Number(row?.['distinct']) };
  }

  /** Waits until every record that is in the log now is in a range; how many there are. */
  async drained(): Promise<number> {
    const end = await this.endOfLog();
    await eventually(`${end} records in ranges`, HEAL_MS, async () =>
      (await this.offsetsInRanges()) >= end ? true : undefined,
    );
    return end;
  }

  /** P1, P2 and P4, from outside: every acknowledged span, none twice, every record in the ledger. */
  async assertExactlyOnce(load: Load): Promise<Toll> {
    const end = await this.drained();
    assert.equal(await this.offsetsInRanges(), end, 'a range past the end of the log');
    const toll = await this.assertShownOnce(load);
    // A request that was sent again after a refusal may lie in the log twice: it is shown once.
    if (load.retries === 0) assert.equal(toll.storedAgain, 0, 'spans stored twice');
    const { rows } = await this.count();
    assert.equal(await this.spansInLedger(), rows, 'the ledger counts what is stored');
    assert.equal(await this.offsetsTwice(), 0, 'an offset is in two ranges');
    return toll;
  }

  /** P1 and P2 as a user sees them. The log must be drained. */
  async assertShownOnce(load: Load): Promise<Toll> {
    assert.deepEqual(load.refused, []);
    const { rows, distinct } = await this.count();
    const traces = await this.clickhouse.rows(
      "SELECT lower(concat(leftPad(hex(trace_hi), 16, '0'), leftPad(hex(trace_lo), 16, '0'))) AS id, " +
        'uniqExact(span_id) AS spans, uniqExact(tenant, span_id, kind, h) AS shown ' +
        `FROM spanhouse.spans WHERE service = '${this.topic}' GROUP BY trace_hi, trace_lo`,
    );
    const stored = new Map(traces.map((row) => [String(row['id']), Number(row['spans'])]));
    const lost = load.acknowledged.filter((id) => stored.get(id) !== load.spansPerTrace);
    assert.deepEqual(lost.slice(0, 10), [], `${lost.length} acknowledged traces are not whole`);
    const doubled = traces.reduce(
      (sum, row) => sum + Number(row['shown']) - Number(row['spans']),
      0,
    );
    assert.equal(doubled, 0, 'spans shown twice');
    const step = Math.ceil((load.acknowledged.length * load.spansPerTrace) / SHOWN_MAX);
    const sample = load.acknowledged.filter((_, i) => i % step === 0);
    const { query } = await this.query();
    assert.deepEqual(await findDamage(query, sample, load.spansPerTrace), []);
    return { lost: lost.length, doubled, storedAgain: rows - distinct };
  }

  async spansInLedger(): Promise<number> {
    const [ledger] = await this.clickhouse.rows(
      `SELECT sum(spans) AS spans FROM spanhouse.ranges FINAL WHERE topic = '${this.topic}'`,
    );
    return Number(ledger?.['spans']);
  }

  /** How many different offsets lie in ranges, over all partitions. */
  async offsetsInRanges(): Promise<number> {
    return (await this.#ranges()).distinct;
  }

  async partitionsInRanges(): Promise<number> {
    const [row] = await this.clickhouse.rows(
      `SELECT uniqExact(partition_number) AS n FROM spanhouse.ranges WHERE topic = '${this.topic}'`,
    );
    return Number(row?.['n']);
  }

  /** Offsets that lie in more than one range, each as often as it is one too many. */
  async offsetsTwice(): Promise<number> {
    const { sum, distinct } = await this.#ranges();
    return sum - distinct;
  }

  async #ranges(): Promise<{ readonly sum: number; readonly distinct: number }> {
    const rows = await this.clickhouse.rows(
      'SELECT cluster_id, topic_id, partition_number AS p, first, last FROM spanhouse.ranges FINAL ' +
        `WHERE topic = '${this.topic}' ORDER BY cluster_id, topic_id, p, first`,
    );
    let sum = 0;
    let distinct = 0;
    let at = { key: '', next: 0 };
    for (const row of rows) {
      const key = `${row['cluster_id']}:${row['topic_id']}:${row['p']}`;
      if (at.key !== key) at = { key, next: 0 };
      const first = Number(row['first']);
      const next = Number(row['last']) + 1;
      sum += next - first;
      distinct += Math.max(0, next - Math.max(first, at.next));
      at.next = Math.max(at.next, next);
    }
    return { sum, distinct };
  }

  /** The ends of all partitions together. */
  endOfLog(): Promise<number> {
    return asked(this.kafka.direct, async (admin) => {
      const offsets = await admin.fetchTopicOffsets(this.topic);
      return offsets.reduce((sum, { high }) => sum + Number(high), 0);
    });
  }

  /** Waits until a group has committed all that is in the log now. */
  async committed(group = this.topic): Promise<void> {
    const end = await this.endOfLog();
    const { topic } = this;
    await eventually(`${group} has committed ${end} records`, HEAL_MS, () =>
      asked(this.kafka.direct, async (admin) => {
        const [told] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
        const sum = told?.partitions.reduce((all, one) => all + Math.max(0, Number(one.offset)), 0);
        return sum === end ? true : undefined;
      }),
    );
  }

  /** Ends the services of this cluster; brokers and ClickHouse go on. */
  async stop(): Promise<void> {
    for (const process of this.#all.splice(0)) await process.remove();
    await this.#query?.remove();
    this.#query = undefined;
  }
}

function sameFlag(one: string, other: string): boolean {
  return one.split('=', 1)[0] === other.split('=', 1)[0];
}

/** A counter of one process; 0 where it does not answer. */
export async function counter(
  process: Spanhouse,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  try {
    return (await fetchMetrics(process.metrics)).count(name, labels);
  } catch {
    return 0;
  }
}
