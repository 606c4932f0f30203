// `npm run soak -- --minutes=20 --requests-per-second=20 --spans=512`: steady load with a kill -9 of
// some process every 20 s; then every span is counted, and how the memory of each process went.
// Ends with 1 where a promise was broken. One collector and one ingester are never killed, so that
// there is a memory to look at for long; in front of the log, senders go to both collectors.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { httpExporter } from '../harness/exporter.ts';
import { Load } from '../harness/load.ts';
import { Prng, seedFromEnvironment } from '../harness/prng.ts';
import type { Spanhouse } from '../harness/spanhouse.ts';
import { Backends } from './backends.ts';
import { Cluster } from './cluster_rig.ts';
import { keepSoak, type SoakResult } from './fault_results.ts';
import { Memory } from './memory.ts';

const KILL_EVERY_MS = 20_000;
const SAMPLE_EVERY_MS = 5_000;
const MS_PER_MINUTE = 60_000;

interface SoakOptions {
  readonly minutes: number;
  readonly requestsPerSecond: number;
  readonly spans: number;
}

class Soak {
  readonly #options: SoakOptions;
  readonly #random = new Prng(seedFromEnvironment());
  readonly #memory = new Memory();
  readonly #kills: Record<string, number> = {};
  readonly #cluster: Cluster;
  readonly #steady: Spanhouse;
  #victim: Spanhouse;

  private constructor(options: SoakOptions, cluster: Cluster, steady: Spanhouse, other: Spanhouse) {
    this.#options = options;
    this.#cluster = cluster;
    this.#steady = steady;
    this.#victim = other;
  }

  static async run(options: SoakOptions, backends: Backends): Promise<SoakResult> {
    const cluster = await Cluster.on(backends, `soak-${process.pid}`);
    try {
      const ingesters = [await cluster.ingester(), await cluster.ingester()] as const;
      await cluster.query();
      return await new Soak(options, cluster, ...ingesters).#run();
    } finally {
      await cluster.stop();
    }
  }

  async #run(): Promise<SoakResult> {
    const { minutes, requestsPerSecond, spans } = this.#options;
    console.log(`TEST_SEED=${this.#random.seed}`);
    const collectors = [this.#cluster.collector, await this.#cluster.otherCollector()];
    const addresses = collectors.map(({ otlpHttp }) => otlpHttp);
    const exporters = [...addresses, ...addresses].map((address) => httpExporter(address));
    const load = new Load(this.#cluster.topic, exporters, { requestsPerSecond, spans });
    const endMs = performance.now() + minutes * MS_PER_MINUTE;
    const sampling = this.#sampleUntil(endMs);
    while (performance.now() < endMs) {
      await sleep(Math.min(KILL_EVERY_MS, Math.max(0, endMs - performance.now())));
      if (performance.now() < endMs) await this.#kill();
    }
    await sampling;
    await load.stop();
    const { lost, doubled } = await this.#cluster.assertExactlyOnce(load);
    const acknowledged = load.acknowledged.length * spans;
    return {
      minutes,
      acknowledged,
      spansPerSecond: Math.round(acknowledged / (minutes * 60)),
      lost,
      doubled,
      longestRefusalMs: load.longestRefusalMs,
      kills: this.#kills,
      memory: this.#memory.lines(),
    };
  }

  async #kill(): Promise<void> {
    const { kafka, clickhouse } = this.#cluster;
    const kills: Record<string, () => Promise<unknown>> = {
      collector: () => this.#cluster.otherCollector(),
      ingester: async () => {
        await this.#victim.kill();
        this.#victim = await this.#cluster.ingester();
      },
      query: () => this.#cluster.restartQuery(),
      ClickHouse: async () => clickhouse.killEngine(),
      broker: async () => {
        await kafka.kill(1);
        await kafka.restart(1);
      },
    };
    const names = Object.keys(kills);
    const name = names[this.#random.int(0, names.length)] ?? '';
    this.#kills[name] = (this.#kills[name] ?? 0) + 1;
    console.log(`kill -9: ${name}`);
    await kills[name]?.();
  }

  async #sampleUntil(endMs: number): Promise<void> {
    while (performance.now() < endMs) {
      this.#memory.sample({
        collector: this.#cluster.collector.pid,
        ingester: this.#steady.pid,
        'load and harness': process.pid,
      });
      await sleep(SAMPLE_EVERY_MS);
    }
  }
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    'requests-per-second': { type: 'string', default: '20' },
    spans: { type: 'string', default: '512' },
  },
});
const backends = await Backends.start();
try {
  const result = await Soak.run(
    {
      minutes: Number(values.minutes),
      requestsPerSecond: Number(values['requests-per-second']),
      spans: Number(values.spans),
    },
    backends,
  );
  keepSoak(result);
  console.log(JSON.stringify(result, null, 2));
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await backends.stop();
}
// Idle clients would keep us for their keep-alive.
process.exit();
