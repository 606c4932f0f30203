// What may happen between the processes: cut, flapping and one-way links, lost answers, a broker
// without a disk, and clocks that are wrong.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../harness/eventually.ts';
import { httpExporter } from '../harness/exporter.ts';
import { makeMischief, mischiefEnv } from '../harness/mischief.ts';
import { encodeRequest, traceOf } from '../harness/otlp.ts';
import { SmallDisk } from '../harness/small_disk.ts';
import { temporaryDirectory } from '../harness/spanhouse.ts';
import type { TcpProxy } from '../harness/tcp_proxy.ts';
import { Backends } from './backends.ts';
import { Cluster, type ClusterOptions, SESSION_MS } from './cluster_rig.ts';
import { acknowledged, counted, storing, suffer } from './suffer.ts';

const CUT_MS = 10_000;
const FLAPS = 5;
const FLAP_MS = 1_000;
/** The fault matrix: recovers within so long. */
const HEAL_MS_MAX = 30_000;
const HOUR_MS = 3_600_000;

describe('faults of links, clocks and disks', () => {
  let backends: Backends;
  let cluster: Cluster;
  let folder: string;
  let tests = 0;
  before(async () => {
    folder = await temporaryDirectory();
    backends = await Backends.start({ kafka: { proxied: true } });
  });
  after(async () => {
    await backends?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    backends.kafka.proxies[0]?.heal();
    backends.clickhouse.proxy.heal();
    await cluster?.stop();
  });

  async function setUp(options: ClusterOptions): Promise<void> {
    cluster = await Cluster.on(backends, `links-${process.pid}-${tests++}`, options);
  }

  function kafkaProxy(): TcpProxy {
    const [proxy] = backends.kafka.proxies;
    assert.ok(proxy !== undefined);
    return proxy;
  }

  const LINKS = [
    { link: 'collector | broker', proxied: ['collector'], proxy: kafkaProxy },
    { link: 'ingester | broker', proxied: ['ingester'], proxy: kafkaProxy },
    { link: 'ingester, query | ClickHouse', proxied: [], proxy: () => backends.clickhouse.proxy },
  ] as const;

  for (const { link, proxied, proxy } of LINKS) {
    it(`F19: ${link} is cut, flaps, and is one-way`, async () => {
      await setUp({ proxied });
      const ingester = await cluster.ingester();
      const { healMs } = await suffer(cluster, { id: 'F19', fault: `${link}` }, async () => {
        await storing(ingester);
        const between = proxy();
        between.refuse = true;
        between.cut();
        await sleep(CUT_MS);
        between.heal();
        for (let flap = 0; flap < FLAPS; flap++) {
          await sleep(FLAP_MS);
          between.refuse = true;
          between.cut();
          await sleep(FLAP_MS);
          between.heal();
        }
        between.dropReplies = true;
        await sleep(CUT_MS);
        between.cut();
        between.heal();
      });
      assert.ok(healMs < HEAL_MS_MAX, `it took ${healMs} ms to recover`);
    });
  }

  it('F09: answers to commits and heartbeats get lost', async () => {
    await setUp({ proxied: ['ingester'] });
    const ingester = await cluster.ingester();
    const proxy = kafkaProxy();
    await suffer(
      cluster,
      { id: 'F09', fault: 'answers to commits and heartbeats lost' },
      async () => {
        for (const lostMs of [300, 1_000, SESSION_MS, 3 * SESSION_MS]) {
          await storing(ingester);
          const before = proxy.droppedBytes;
          proxy.dropReplies = true;
          await eventually('a lost answer', 30_000, () =>
            proxy.droppedBytes > before ? true : undefined,
          );
          await sleep(lostMs);
          proxy.cut();
          proxy.heal();
        }
      },
    );
  });

  it('F09: answers to records get lost', async () => {
    await setUp({ proxied: ['collector'] });
    await cluster.ingester();
    const proxy = kafkaProxy();
    await suffer(
      cluster,
      { id: 'F09', fault: 'answers to published records lost' },
      async (load) => {
        for (let lost = 0; lost < FLAPS; lost++) {
          await acknowledged(load, 10);
          proxy.dropReplies = true;
          await sleep(FLAP_MS);
          proxy.cut();
          proxy.heal();
        }
      },
    );
  });

  it('F07: the broker is down, and is back', async () => {
    await setUp({});
    const ingester = await cluster.ingester();
    await suffer(cluster, { id: 'F07', fault: 'all brokers down for 10 s' }, async () => {
      await storing(ingester);
      await backends.kafka.kill(1);
      await sleep(CUT_MS);
      await backends.kafka.restart(1);
    });
  });

  it('F08: the broker answers 1 s late', async () => {
    await setUp({ proxied: ['collector', 'ingester'] });
    const ingester = await cluster.ingester();
    await suffer(cluster, { id: 'F08', fault: 'brokers answer 1 s late' }, async (load) => {
      await storing(ingester);
      kafkaProxy().delayMs = 500;
      await acknowledged(load, 10);
      await storing(ingester);
      kafkaProxy().heal();
    });
  });

  it('F14: a full disk below the broker ends it; with room again nothing is missing', async (t) => {
    const disk = SmallDisk.mount(64);
    if (disk === undefined) return t.skip('this user may not mount a tmpfs: run it as root');
    const settings = { 'log.dirs': `${disk.directory}/data` };
    const own = await Backends.start({ kafka: { settings } });
    try {
      cluster = await Cluster.on(own, `links-${process.pid}-${tests++}`);
      const ingester = await cluster.ingester();
      await suffer(cluster, { id: 'F14', fault: "broker's disk full" }, async () => {
        await storing(ingester);
        disk.fill();
        await counted(cluster.collector, 'spanhouse_publish_failures_total');
        disk.free();
        // It may have died of it, or gone on without its disk: both are ended by a restart.
        await own.kafka.kill(1);
        await own.kafka.restart(1);
      });
    } finally {
      await cluster.stop();
      await own.stop();
      disk.unmount();
    }
  });

  it('F18: clocks that differ by hours, and step back amid work, delay and lose nothing', async () => {
    const files = {
      collector: join(folder, 'collector'),
      ingester: join(folder, 'ingester'),
    };
    await setUp({ collector: { env: mischiefEnv(files.collector, { clockMs: -20 * HOUR_MS }) } });
    const env = mischiefEnv(files.ingester, { clockMs: HOUR_MS });
    const ingester = await cluster.ingester({ env });
    const { load } = await suffer(
      cluster,
      { id: 'F18', fault: 'clocks wrong, and stepping' },
      async () => {
        for (const stepMs of [-2 * HOUR_MS, 2 * HOUR_MS, 0]) {
          await storing(ingester);
          makeMischief(files.ingester, ingester.pid, { clockMs: HOUR_MS + stepMs });
          makeMischief(files.collector, cluster.collector.pid, { clockMs: stepMs - 20 * HOUR_MS });
        }
        await storing(ingester);
      },
    );
    assert.equal(load.retries, 0, 'a clock made a sender wait');
  });

  it('F18: a collector that is two days behind rejects spans by name, and loses none in silence', async () => {
    const env = mischiefEnv(join(folder, 'behind'), { clockMs: -48 * HOUR_MS });
    await setUp({ collector: { env } });
    const exporter = httpExporter(cluster.collector.otlpHttp);
    const outcome = await exporter.export(encodeRequest(cluster.topic, traceOf(8)));
    exporter.close();
    assert.ok(outcome.kind === 'ok', JSON.stringify(outcome));
    assert.equal(outcome.partial.rejectedSpans, 8);
    assert.match(outcome.partial.errorMessage, /in the future/);
  });
});
