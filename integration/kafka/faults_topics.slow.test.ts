// What may happen to a topic: retention that overtakes, partitions that are added, a deletion, and a
// namesake in another cluster.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { eventually } from '../harness/eventually.ts';
import { startKafka } from '../harness/kafka.ts';
import { readTopic } from '../harness/kafka_topic.ts';
import { decodeSpans, encodeRequest, traceOf } from '../harness/otlp.ts';
import { type Admin, asked, Backends, committedAt, written } from './backends.ts';
import { Cluster, counter, HEAL_MS } from './cluster_rig.ts';
import { probe, readiness } from './collector_rig.ts';
import { acknowledged, note, storing, suffer } from './suffer.ts';

const LOST = 'spanhouse_records_lost_total';
const SPANS = 8;

describe('faults of topics', () => {
  let backends: Backends;
  let cluster: Cluster;
  let tests = 0;
  before(async () => {
    backends = await Backends.start();
  });
  after(() => backends?.stop());
  afterEach(async () => {
    backends.clickhouse.proxy.heal();
    await cluster?.stop();
  });

  async function setUp(): Promise<void> {
    cluster = await Cluster.on(backends, `topics-${process.pid}-${tests++}`);
  }

  function admin<T>(ask: (admin: Admin) => Promise<T>): Promise<T> {
    return asked(backends.kafka.direct, ask);
  }

  function good(): Buffer {
    return Buffer.from(encodeRequest(cluster.topic, traceOf(SPANS)));
  }

  it('retention that cuts into an intent is counted, and the rest is stored', async () => {
    await setUp();
    const { proxy } = cluster.clickhouse;
    const load = cluster.load();
    await acknowledged(load, 50);
    await load.stop();
    proxy.refuse = true;
    const ingester = await cluster.ingester();
    const intents = await eventually('an intent in each partition', HEAL_MS, async () => {
      const found = await Promise.all([0, 1, 2, 3].map(intentOf));
      return found.every((intent) => intent !== undefined) ? found : undefined;
    });
    await ingester.kill();
    const cuts = intents.map((intent, partition) => {
      assert.ok(intent !== undefined && intent.b > intent.a, `partition ${partition}`);
      return { partition, offset: String(intent.a + ((intent.b - intent.a + 1) >> 1)) };
    });
    const gone = cuts.reduce(
      (sum, { offset }, i) => sum + Number(offset) - (intents[i]?.a ?? 0),
      0,
    );
    await admin(async (client) => {
      // kafkajs deletes nothing of a topic that it has not asked about before.
      await client.fetchTopicOffsets(cluster.topic);
      await client.deleteTopicRecords({ topic: cluster.topic, partitions: cuts });
    });
    proxy.heal();
    const next = await cluster.ingester();
    await cluster.drained();
    await cluster.committed();
    assert.equal(await counter(next, LOST), gone);
    const { rows, distinct } = await cluster.count();
    assert.equal(rows, distinct);
    const left = await readTopic(backends.kafka.direct, cluster.topic);
    assert.equal(rows, left.flatMap(({ value }) => decodeSpans(value)).length);
    assert.equal(await cluster.spansInLedger(), rows);
    const lag = await cluster.run('lag');
    assert.equal(lag.code, 1, lag.output);
  });

  it('F21: partitions are added while spans come in', async () => {
    await setUp();
    const ingester = await cluster.ingester();
    await suffer(cluster, { id: 'F21', fault: 'partitions added' }, async () => {
      await storing(ingester);
      const { topic } = cluster;
      await admin((client) => client.createPartitions({ topicPartitions: [{ topic, count: 6 }] }));
      await written(backends.kafka.direct, topic, [
        { value: good(), partition: 4 },
        { value: good(), partition: 5 },
      ]);
      // A new collector knows of them from its start.
      await cluster.collector.stop();
      await cluster.startCollector();
    });
    assert.ok((await cluster.partitionsInRanges()) === 6, 'nothing was read of the new ones');
  });

  it('F21: a topic that is deleted is a refusal, and it goes on when it is there again', async () => {
    await setUp();
    const ingester = await cluster.ingester();
    const first = cluster.load();
    await acknowledged(first, 50);
    await first.stop();
    await cluster.assertExactlyOnce(first);
    const { topic } = cluster;
    await admin((client) => client.deleteTopics({ topics: [topic] }));
    const refused = await eventually('a refusal', HEAL_MS, async () => {
      const answer = await probe(cluster.collector);
      return answer.status === 200 ? undefined : answer;
    });
    assert.equal(refused.status, 503);
    const load = cluster.load();
    const unready = await eventually('unready', HEAL_MS, async () =>
      (await readiness(cluster.collector)) === 503 ? true : undefined,
    );
    assert.ok(unready);
    await admin((client) => client.createTopics({ topics: [{ topic, numPartitions: 4 }] }));
    const overMs = performance.now();
    await acknowledged(load, 50);
    await storing(ingester);
    await load.stop();
    await cluster.committed();
    const healMs = performance.now() - overMs;
    const toll = await cluster.assertShownOnce(load);
    note({ id: 'F21', fault: 'topic deleted and made anew' }, load, { ...toll, healMs });
  });

  it('F27: one group on two clusters: the same offsets hold different spans', async () => {
    await setUp();
    await cluster.ingester();
    const other = await startKafka();
    const twin = await Cluster.on(new Backends(other, backends.clickhouse), cluster.topic);
    try {
      await twin.ingester();
      const loads = [cluster.load(), twin.load()];
      await Promise.all(loads.map((load) => acknowledged(load, 100)));
      await Promise.all(loads.map((load) => load.stop()));
      const overMs = performance.now();
      await cluster.committed();
      await twin.committed();
      const healMs = performance.now() - overMs;
      const { rows, distinct } = await cluster.count();
      assert.equal(rows, distinct);
      assert.equal(await cluster.spansInLedger(), rows);
      for (const load of loads) {
        const toll = await cluster.assertShownOnce(load);
        note({ id: 'F27', fault: 'one group on two clusters' }, load, { ...toll, healMs });
      }
    } finally {
      await twin.stop();
      await other.stop();
    }
  });

  /** What is committed beside the offset, where it is an intent. */
  async function intentOf(partition: number): Promise<{ a: number; b: number } | undefined> {
    const metadata =
      (await committedAt(backends.kafka.direct, cluster.topic, partition))?.metadata ?? '';
    const note = metadata === '' ? {} : (JSON.parse(metadata) as { a?: number; b?: number });
    return note.a === undefined || note.b === undefined ? undefined : { a: note.a, b: note.b };
  }
});
