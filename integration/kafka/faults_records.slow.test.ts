// What may be in records: poison of every kind, a newer version, headers of strangers; and dead
// letters that cannot be written.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { eventually } from '../harness/eventually.ts';
import { encodeRequest, traceOf } from '../harness/otlp.ts';
import type { Spanhouse } from '../harness/spanhouse.ts';
import { type Admin, asked, Backends, committedAt, type Written, written } from './backends.ts';
import { Cluster, counter, HEAL_MS } from './cluster_rig.ts';
import { acknowledged, note, storing, suffer } from './suffer.ts';

const HELD = 'spanhouse_partitions_held';
const DEAD = 'spanhouse_records_dead_lettered_total';
/** kafkajs: a topic's settings. */
const TOPIC = 2;
const SPANS = 8;

describe('faults of records', () => {
  let backends: Backends;
  let cluster: Cluster;
  let tests = 0;
  before(async () => {
    // Poison of 20 MB has to get into the log first.
    backends = await Backends.start({ kafka: { settings: { 'message.max.bytes': '30000000' } } });
  });
  after(() => backends?.stop());
  afterEach(async () => {
    backends.clickhouse.proxy.heal();
    await cluster?.stop();
  });

  async function setUp(): Promise<void> {
    cluster = await Cluster.on(backends, `records-${process.pid}-${tests++}`);
  }

  function admin<T>(ask: (admin: Admin) => Promise<T>): Promise<T> {
    return asked(backends.kafka.direct, ask);
  }

  function write(topic: string, messages: readonly Written[]): Promise<void> {
    return written(backends.kafka.direct, topic, messages);
  }

  function setTopic(topic: string, name: string, value: string): Promise<unknown> {
    const resources = [{ type: TOPIC, name: topic, configEntries: [{ name, value }] }];
    return admin((client) => client.alterConfigs({ validateOnly: false, resources }));
  }

  async function createTopic(topic: string, bytesMax: string): Promise<void> {
    const configEntries = [{ name: 'max.message.bytes', value: bytesMax }];
    await admin((client) =>
      client.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }] }),
    );
  }

  function isHeld(ingester: Spanhouse, reason: string): Promise<true> {
    return eventually(`held: ${reason}`, HEAL_MS, async () =>
      (await counter(ingester, HELD, { reason })) > 0 ? true : undefined,
    );
  }

  function good(): Buffer {
    return Buffer.from(encodeRequest(cluster.topic, traceOf(SPANS)));
  }

  it('F16: poison first, last and between does not stop its neighbours', async () => {
    await setUp();
    const ingester = await cluster.ingester();
    const half = good();
    const poison = [
      Buffer.from('garbage'),
      half.subarray(0, half.length >> 1),
      Buffer.alloc(0),
      null,
      randomBytes(200_000),
    ];
    const lots = [0, 1, 2, 3].flatMap((partition) =>
      poison.flatMap((value) => [
        { value, partition },
        { value: good(), partition },
        { value, partition },
      ]),
    );
    const fault = { id: 'F16', fault: 'poison amid good records' };
    await suffer(cluster, fault, async () => {
      await storing(ingester);
      await write(cluster.topic, lots);
    });
    assert.equal(await counter(ingester, DEAD), 2 * 4 * poison.length);
  });

  it('F16, F17: dead letters that cannot be written hold one partition until they can', async () => {
    await setUp();
    await createTopic(`${cluster.topic}-dead`, '1000000');
    await setTopic(cluster.topic, 'max.message.bytes', '30000000');
    const ingester = await cluster.ingester();
    const fault = { id: 'F17', fault: 'poison of 20 MB, dead letters refused' };
    await suffer(cluster, fault, async () => {
      await storing(ingester);
      await write(cluster.topic, [{ value: Buffer.alloc(20_000_000, 0xff), partition: 2 }]);
      await isHeld(ingester, 'dead_letters_refused');
      assert.equal(await counter(ingester, HELD), 1);
      await storing(ingester);
      await setTopic(`${cluster.topic}-dead`, 'max.message.bytes', '30000000');
      await eventually('no partition is held', HEAL_MS, async () =>
        (await counter(ingester, HELD)) === 0 ? true : undefined,
      );
    });
    assert.equal(await counter(ingester, DEAD), 1);
  });

  it('F16: a record of a newer version is held, not dropped, and its partition alone', async () => {
    await setUp();
    const ingester = await cluster.ingester();
    const load = cluster.load();
    await acknowledged(load, 50);
    const newer = { 'spanhouse.version': '2' };
    await write(cluster.topic, [{ value: good(), partition: 1, headers: newer }]);
    await isHeld(ingester, 'newer_version');
    assert.equal(await counter(ingester, HELD), 1);
    assert.equal(await counter(ingester, DEAD), 0);
    await storing(ingester);
    await load.stop();
    await ingester.stop();
    // What an operator does who cannot bring the newer version: steps over that one record.
    const at = await committedOf(1);
    await admin((client) => {
      const partitions = [{ partition: 1, offset: String(at + 1) }];
      return client.setOffsets({ groupId: cluster.topic, topic: cluster.topic, partitions });
    });
    const overMs = performance.now();
    await cluster.ingester();
    await cluster.committed();
    const healMs = performance.now() - overMs;
    const toll = await cluster.assertShownOnce(load);
    note({ id: 'F16', fault: 'record of a newer version' }, load, { ...toll, healMs });
    // The ledger shows what was stepped over.
    assert.equal((await cluster.run('lag')).code, 1);
  });

  it('a foreign topic is its own tenant, whatever headers say', async () => {
    await setUp();
    const flags = ['--ingester-foreign-tenant=theirs'];
    await cluster.ingester({ flags });
    const claims: Record<string, string>[] = [
      {},
      { 'spanhouse.tenant': 'ours' },
      { 'spanhouse.tenant': '../x', 'spanhouse.version': '99' },
    ];
    await write(
      cluster.topic,
      claims.map((headers, partition) => ({ value: good(), partition, headers })),
    );
    await cluster.drained();
    const rows = await cluster.clickhouse.rows(
      `SELECT tenant, count() AS n FROM spanhouse.spans WHERE service = '${cluster.topic}' GROUP BY tenant`,
    );
    assert.deepEqual(rows, [{ tenant: 'theirs', n: SPANS * claims.length }]);
  });

  async function committedOf(partition: number): Promise<number> {
    const { topic, kafka } = cluster;
    return Number((await committedAt(kafka.direct, topic, partition))?.offset);
  }
});
