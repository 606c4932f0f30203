import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../harness/eventually.ts';
import { Prng, seedFromEnvironment } from '../harness/prng.ts';
import type { Spanhouse } from '../harness/spanhouse.ts';
import { Backends } from './backends.ts';
import { Cluster, SESSION_MS } from './cluster_rig.ts';
import { note } from './suffer.ts';

const ROUNDS = 40;
/** Between two faults, so that some fall amid the healing of the one before. */
const CALM_MS_MAX = 5_000;
const HEAL_MS = 120_000;

const random = new Prng(seedFromEnvironment());

/** Faults of every kind in any order, under load, with two or three ingesters; then the count. */
describe('exactly once, in a storm', () => {
  let backends: Backends;
  let cluster: Cluster;
  before(async () => {
    backends = await Backends.start();
    cluster = await Cluster.on(backends, `storm-${process.pid}`);
  });
  after(async () => {
    await cluster?.stop();
    await backends?.stop();
  });

  it(`keeps each span once through ${ROUNDS} faults`, async (t) => {
    t.diagnostic(`TEST_SEED=${random.seed}`);
    const ingesters = [await cluster.ingester(), await cluster.ingester()];
    const load = cluster.load();
    const faults: Record<string, number> = {};
    for (let round = 0; round < ROUNDS; round++) {
      const fault = FAULTS[random.int(0, FAULTS.length)];
      assert.ok(fault !== undefined);
      faults[fault.name] = (faults[fault.name] ?? 0) + 1;
      await fault(ingesters);
      await sleep(random.int(0, CALM_MS_MAX));
    }
    const overMs = performance.now();
    const before = load.acknowledged.length;
    await eventually('senders go on', HEAL_MS, () =>
      load.acknowledged.length > before + 20 ? true : undefined,
    );
    await cluster.drained();
    const healMs = performance.now() - overMs;
    await load.stop();
    const toll = await cluster.assertExactlyOnce(load);
    note({ id: 'storm', fault: `${ROUNDS} faults in any order` }, load, { ...toll, healMs });
    t.diagnostic(`${load.acknowledged.length} requests, ${load.retries} retries`);
    t.diagnostic(JSON.stringify(faults));
    for (const ingester of ingesters) await ingester.stop();
  });

  function pick(ingesters: readonly Spanhouse[]): Spanhouse {
    return ingesters[random.int(0, ingesters.length)] as Spanhouse;
  }

  async function replace(ingesters: Spanhouse[], old: Spanhouse): Promise<void> {
    ingesters.splice(ingesters.indexOf(old), 1, await cluster.ingester());
  }

  async function killIngester(ingesters: Spanhouse[]): Promise<void> {
    const victim = pick(ingesters);
    await victim.kill();
    await replace(ingesters, victim);
  }

  async function stopIngester(ingesters: Spanhouse[]): Promise<void> {
    const victim = pick(ingesters);
    await victim.stop();
    await replace(ingesters, victim);
  }

  async function sleepIngester(ingesters: Spanhouse[]): Promise<void> {
    const { pid } = pick(ingesters);
    process.kill(pid, 'SIGSTOP');
    await sleep(random.int(0, 3 * SESSION_MS));
    process.kill(pid, 'SIGCONT');
  }

  async function killEngine(): Promise<void> {
    cluster.clickhouse.killEngine();
  }

  async function cutStore(): Promise<void> {
    cluster.clickhouse.proxy.cut();
  }

  async function loseStoreReplies(): Promise<void> {
    cluster.clickhouse.proxy.dropReplies = true;
    await sleep(random.int(100, 3_000));
    cluster.clickhouse.proxy.cut();
    cluster.clickhouse.proxy.heal();
  }

  async function killBroker(): Promise<void> {
    await cluster.kafka.kill(1);
    await sleep(random.int(0, 3_000));
    await cluster.kafka.restart(1);
  }

  const FAULTS = [
    killIngester,
    killIngester,
    stopIngester,
    sleepIngester,
    killEngine,
    cutStore,
    loseStoreReplies,
    killBroker,
  ];
});
