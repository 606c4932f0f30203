// What may happen to ClickHouse while spans come in: the log takes them, the ingester waits.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../harness/eventually.ts';
import { rssBytes } from '../harness/process_tree.ts';
import { SmallDisk } from '../harness/small_disk.ts';
import type { Spanhouse } from '../harness/spanhouse.ts';
import { Backends } from './backends.ts';
import { Cluster, counter } from './cluster_rig.ts';
import { acknowledged, counted, storing, suffer } from './suffer.ts';

const DOWN_MS = 30_000;
/** What an outage may add to a process: buffers that were empty before, not what came meanwhile. */
const GROWTH_BYTES_MAX = 60_000_000;
const KILLS = 5;
const RETRIES = 'spanhouse_insert_retries_total';
const LAG = 'spanhouse_lag_records';
const HELD = 'spanhouse_partitions_held';

describe('faults of the store', () => {
  let backends: Backends;
  let cluster: Cluster;
  let ingester: Spanhouse;
  let tests = 0;
  before(async () => {
    backends = await Backends.start();
  });
  after(() => backends?.stop());
  afterEach(async () => {
    backends.clickhouse.proxy.heal();
    await cluster?.stop();
  });

  async function setUp(on: Backends = backends): Promise<void> {
    cluster = await Cluster.on(on, `store-${process.pid}-${tests++}`);
    ingester = await cluster.ingester();
  }

  it('F10: while ClickHouse is down the log takes all, memory stays flat, and it drains after', async () => {
    await setUp();
    const { proxy } = cluster.clickhouse;
    const fault = { id: 'F10', fault: `ClickHouse away for ${DOWN_MS / 1000} s` };
    const { load } = await suffer(cluster, fault, async (load) => {
      await storing(ingester);
      const processes = [ingester, cluster.collector];
      const before = processes.map(({ pid }) => rssBytes(pid));
      proxy.refuse = true;
      proxy.cut();
      await sleep(DOWN_MS / 2);
      const lag = await counter(ingester, LAG);
      await sleep(DOWN_MS / 2);
      assert.ok((await counter(ingester, LAG)) > lag, 'the lag does not grow');
      assert.ok((await counter(ingester, RETRIES)) > 0);
      assert.equal(await counter(ingester, HELD), 0, 'an outage is nothing for an operator');
      await acknowledged(load, 20);
      for (const [i, { pid }] of processes.entries()) {
        const grown = rssBytes(pid) - (before[i] ?? 0);
        assert.ok(grown < GROWTH_BYTES_MAX, `grown by ${grown} bytes`);
      }
      proxy.heal();
    });
    assert.equal(load.retries, 0, 'a sender was refused though only the store was away');
  });

  it('F11: a slow ClickHouse slows nothing but the way into it', async () => {
    await setUp();
    const { proxy } = cluster.clickhouse;
    const fault = { id: 'F11', fault: 'ClickHouse answers 3 s late' };
    const { load } = await suffer(cluster, fault, async () => {
      await storing(ingester);
      proxy.delayMs = 1500;
      await storing(ingester);
      await sleep(10_000);
      proxy.heal();
    });
    assert.equal(load.retries, 0);
  });

  it('F11: "too many parts" is waited out', async () => {
    await setUp();
    const alter = 'ALTER TABLE spanhouse.spans MODIFY SETTING parts_to_throw_insert = 1';
    const reset = 'ALTER TABLE spanhouse.spans RESET SETTING parts_to_throw_insert';
    const fault = { id: 'F11', fault: 'ClickHouse has too many parts' };
    const { load } = await suffer(cluster, fault, async () => {
      await storing(ingester);
      await cluster.clickhouse.rows(alter);
      await counted(ingester, RETRIES);
      await sleep(5_000);
      await cluster.clickhouse.rows(reset);
    });
    assert.equal(load.retries, 0);
  });

  it('F12: ClickHouse is killed amid inserts', async () => {
    await setUp();
    const fault = { id: 'F12', fault: `ClickHouse killed ${KILLS} times` };
    const { load } = await suffer(cluster, fault, async () => {
      for (let kill = 0; kill < KILLS; kill++) {
        await storing(ingester);
        cluster.clickhouse.killEngine();
        await sleep(1_000);
      }
    });
    assert.equal(load.retries, 0);
  });

  it('F12: answers of ClickHouse get lost', async () => {
    await setUp();
    const { proxy } = cluster.clickhouse;
    const fault = { id: 'F12', fault: "ClickHouse's answers lost" };
    await suffer(cluster, fault, async () => {
      for (let lost = 0; lost < KILLS; lost++) {
        await storing(ingester);
        const before = proxy.droppedBytes;
        proxy.dropReplies = true;
        await eventually('a lost answer', 30_000, () =>
          proxy.droppedBytes > before ? true : undefined,
        );
        proxy.cut();
        proxy.heal();
      }
    });
  });

  it('F14: a full disk below ClickHouse is waited out', async (t) => {
    const disk = SmallDisk.mount(600);
    if (disk === undefined) return t.skip('this user may not mount a tmpfs: run it as root');
    const own = await Backends.start({ clickhouse: { data: `${disk.directory}/data` } });
    try {
      await setUp(own);
      const fault = { id: 'F14', fault: "ClickHouse's disk full" };
      const { load } = await suffer(cluster, fault, async () => {
        await storing(ingester);
        disk.fill();
        await counted(ingester, RETRIES);
        await sleep(5_000);
        disk.free();
      });
      assert.equal(load.retries, 0);
    } finally {
      await cluster.stop();
      await own.stop();
      disk.unmount();
    }
  });

  it('F26: tables are migrated while spans come in', async () => {
    await setUp();
    const added = 'ADD COLUMN IF NOT EXISTS of_the_next_version String';
    const fault = { id: 'F26', fault: 'migration amid inserts' };
    const { load } = await suffer(cluster, fault, async () => {
      await storing(ingester);
      assert.equal((await cluster.run('migrate')).code, 0);
      await cluster.clickhouse.rows(`ALTER TABLE spanhouse.spans_in ${added}`);
      await cluster.clickhouse.rows(`ALTER TABLE spanhouse.spans ${added}`);
      await storing(ingester);
      assert.equal((await cluster.run('migrate')).code, 0);
      await storing(ingester);
    });
    assert.equal(load.retries, 0);
    assert.equal(await counter(ingester, HELD), 0);
  });
});
