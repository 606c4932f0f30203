// What may happen to our processes and to the group of ingesters: killed, told to stop, starved, storms, groups by
// mistake, offsets set back.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../harness/http.ts';
import { makeMischief, mischiefEnv } from '../harness/mischief.ts';
import { Prng, seedFromEnvironment } from '../harness/prng.ts';
import { type Spanhouse, temporaryDirectory } from '../harness/spanhouse.ts';
import { starve } from '../harness/starve.ts';
import { asked, Backends } from './backends.ts';
import { Cluster, SESSION_MS } from './cluster_rig.ts';
import { acknowledged, note, storing, suffer } from './suffer.ts';

const STORM_MS = 60_000;
const STORM_EVERY_MS = 5_000;
const KILLS = 5;
/** A process that gets a twentieth of a CPU. */
const STARVED_SHARE = 0.05;
const STARVED_MS = 20_000;

const random = new Prng(seedFromEnvironment());

describe('faults of the group', () => {
  let backends: Backends;
  let cluster: Cluster;
  let folder: string;
  let tests = 0;
  before(async () => {
    folder = await temporaryDirectory();
    backends = await Backends.start();
  });
  after(async () => {
    await backends?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  afterEach(() => cluster?.stop());

  async function setUp(): Promise<void> {
    cluster = await Cluster.on(backends, `group-${process.pid}-${tests++}`);
  }

  it('F01: collectors are killed under load', async () => {
    await setUp();
    await cluster.ingester();
    await suffer(cluster, { id: 'F01', fault: `collector killed ${KILLS} times` }, async (load) => {
      for (let kill = 0; kill < KILLS; kill++) {
        await acknowledged(load, 20);
        await sleep(random.int(0, 200));
        await cluster.collector.kill();
        await cluster.startCollector();
      }
    });
  });

  it('F02: collectors are told to stop under load, and exit with 0', async () => {
    await setUp();
    await cluster.ingester();
    const fault = { id: 'F02', fault: `collector stopped ${KILLS} times` };
    await suffer(cluster, fault, async (load) => {
      for (let stop = 0; stop < KILLS; stop++) {
        await acknowledged(load, 20);
        await cluster.collector.stop();
        await cluster.startCollector();
      }
    });
  });

  it('F02: ingesters are told to stop under load, and exit with 0', async () => {
    await setUp();
    let ingester = await cluster.ingester();
    await suffer(cluster, { id: 'F02', fault: `ingester stopped ${KILLS} times` }, async () => {
      for (let stop = 0; stop < KILLS; stop++) {
        await storing(ingester);
        await sleep(random.int(0, 1_000));
        await ingester.stop();
        ingester = await cluster.ingester();
      }
    });
  });

  it('F03: ingesters are killed under load', async () => {
    await setUp();
    let ingester = await cluster.ingester({ instance: 'one' });
    await suffer(cluster, { id: 'F03', fault: `ingester killed ${KILLS} times` }, async () => {
      for (let kill = 0; kill < KILLS; kill++) {
        await storing(ingester);
        await sleep(random.int(0, 1_000));
        await ingester.kill();
        ingester = await cluster.ingester({ instance: 'one' });
      }
    });
  });

  it('F04: query is killed amid answers, and nothing else notices', async () => {
    await setUp();
    const ingester = await cluster.ingester();
    await suffer(cluster, { id: 'F04', fault: 'query killed amid an answer' }, async () => {
      await storing(ingester);
      const query = await cluster.query();
      const url = `${query.query}/api/traces?service=${cluster.topic}&limit=500`;
      const answers = Array.from({ length: 5 }, () => call(url).catch(() => undefined));
      await sleep(20);
      await query.kill();
      await Promise.all(answers);
      await cluster.restartQuery();
    });
  });

  it('F05: an ingester sleeps past its session, and wakes up amid an insert', async () => {
    await setUp();
    const { proxy } = cluster.clickhouse;
    const sleeper = await cluster.ingester();
    await suffer(cluster, { id: 'F05', fault: 'ingester asleep for 2 sessions' }, async () => {
      await storing(sleeper);
      // Late answers: whenever it falls asleep, an insert is under way.
      proxy.delayMs = 200;
      await sleep(1_000);
      process.kill(sleeper.pid, 'SIGSTOP');
      proxy.delayMs = 0;
      await storing(await cluster.ingester());
      await sleep(2 * SESSION_MS);
      process.kill(sleeper.pid, 'SIGCONT');
      await sleep(SESSION_MS);
    });
  });

  it('F15: the offsets of the group are set back: all is stored again and shown once', async () => {
    await setUp();
    const ingester = await cluster.ingester();
    const load = cluster.load();
    await acknowledged(load, 200);
    await load.stop();
    await cluster.assertExactlyOnce(load);
    await ingester.stop();
    await setOffsets(cluster.topic, 0);
    const overMs = performance.now();
    const again = await cluster.ingester();
    await storing(again);
    await cluster.committed();
    const healMs = performance.now() - overMs;
    const toll = await cluster.assertShownOnce(load);
    assert.ok((await cluster.offsetsTwice()) > 0, 'nothing was read again');
    note({ id: 'F15', fault: 'offsets of the group set back to 0' }, load, { ...toll, healMs });
    // The operator is told by the ledger.
    assert.equal((await cluster.run('lag')).code, 1);
  });

  it('F20: ingesters come and go all the time', async () => {
    await setUp();
    const fault = { id: 'F20', fault: `an ingester comes or goes each ${STORM_EVERY_MS / 1000} s` };
    await suffer(cluster, fault, async () => {
      const ingesters: Spanhouse[] = [await cluster.ingester()];
      const endMs = performance.now() + STORM_MS;
      const stored: number[] = [];
      while (performance.now() < endMs) {
        const victim = ingesters.length > 1 ? ingesters.shift() : undefined;
        if (victim !== undefined && random.next() < 0.5) await victim.kill();
        else await victim?.stop();
        ingesters.push(await cluster.ingester());
        await sleep(STORM_EVERY_MS);
        stored.push((await cluster.count()).rows);
      }
      const early = stored[Math.floor(stored.length / 2)] ?? 0;
      assert.ok((stored.at(-1) ?? 0) > early && early > 0, `no progress: ${stored.join(', ')}`);
    });
  });

  it('F24: collector and ingester get a twentieth of a CPU', async () => {
    await setUp();
    const ingester = await cluster.ingester();
    const fault = { id: 'F24', fault: `${STARVED_SHARE * 100} % of a CPU each` };
    await suffer(cluster, fault, async () => {
      await storing(ingester);
      await Promise.all([
        starve(ingester.pid, STARVED_SHARE, STARVED_MS),
        starve(cluster.collector.pid, STARVED_SHARE, STARVED_MS),
      ]);
    });
  });

  it('F27: two groups of ingesters by mistake store twice and show once', async () => {
    await setUp();
    await cluster.ingester();
    await cluster.ingester({ flags: [`--kafka-group=${cluster.topic}-mistake`] });
    const load = cluster.load();
    await acknowledged(load, 300);
    await load.stop();
    const overMs = performance.now();
    await cluster.committed();
    await cluster.committed(`${cluster.topic}-mistake`);
    const toll = await cluster.assertShownOnce(load);
    const healMs = performance.now() - overMs;
    note({ id: 'F27', fault: 'two groups on one topic' }, load, { ...toll, healMs });
    assert.equal(await cluster.spansInLedger(), (await cluster.count()).rows);
  });

  it('F28: a rejection that nobody handles ends the process with 1, and nothing is lost', async () => {
    const files = {
      collector: join(folder, 'collector'),
      ingester: join(folder, 'ingester'),
    };
    cluster = await Cluster.on(backends, `group-${process.pid}-${tests++}`, {
      collector: { env: mischiefEnv(files.collector) },
    });
    const ingester = await cluster.ingester({ env: mischiefEnv(files.ingester) });
    await suffer(cluster, { id: 'F28', fault: 'unhandled rejection' }, async (load) => {
      await storing(ingester);
      makeMischief(files.ingester, ingester.pid, { reject: true });
      assert.deepEqual(await ingester.ended(), { code: 1, signal: null });
      const next = await cluster.ingester();
      makeMischief(files.collector, cluster.collector.pid, { reject: true });
      assert.deepEqual(await cluster.collector.ended(), { code: 1, signal: null });
      await cluster.startCollector();
      await acknowledged(load, 10);
      await storing(next);
    });
  });

  async function setOffsets(topic: string, offset: number): Promise<void> {
    await asked(backends.kafka.direct, async (admin) => {
      const partitions = (await admin.fetchTopicOffsets(topic)).map(({ partition }) => ({
        partition,
        offset: String(offset),
      }));
      await admin.setOffsets({ groupId: topic, topic, partitions });
    });
  }
});
