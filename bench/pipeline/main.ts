// The whole way of a span: collector, Kafka, ingester and ClickHouse as processes on this machine.
// How soon a span is found, what each process holds, where each CPU-second goes, and what an
// ingester takes to catch up.

import { setTimeout as sleep } from 'node:timers/promises';
import { startTestBroker, type TestBroker } from '../../storage/kafka/testing/broker.ts';
import { LARGE_REQUESTS } from '../corpus.ts';
import { numericFlags } from '../flags.ts';
import { readProcessTree, totalCpuSeconds, totalRssBytes } from '../load/process_tree.ts';
import { runLoad } from '../load/run_load.ts';
import { type Figure, quantile, writeReport } from '../report.ts';
import { type Role, startRole, stopRole } from '../role.ts';
import { type BenchEngine, startBenchEngine } from './engine.ts';
import { measureFreshness } from './freshness.ts';

/** What an SDK's batch processor sends at a time. */
const USUAL_REQUESTS = { spansPerRequest: 100, requests: 1000 };

const SETTLE_MS_MAX = 90_000;
const POLL_MS = 100;
const SAMPLE_MS = 250;

interface Pipeline {
  readonly broker: TestBroker;
  readonly engine: BenchEngine;
  readonly collector: Role;
  ingester: Role;
  readonly ingesterFlags: readonly string[];
  /** Acknowledged since the start: what must be stored in the end. */
  acknowledged: number;
}

export async function run(args: string[]): Promise<void> {
  const flags = numericFlags(args, {
    seconds: 15,
    'rss-rate': 10_000,
    rate: 20_000,
    'backlog-seconds': 8,
  });
  const pipeline = await start();
  const figures: Figure[] = [];
  try {
    await load(pipeline, 'warm up', 4, undefined, USUAL_REQUESTS);
    figures.push(await steady(pipeline, flags.seconds, flags['rss-rate']));
    figures.push(await steady(pipeline, flags.seconds, flags.rate));
    figures.push(await fullSpeed(pipeline, flags.seconds));
    figures.push(await catchUp(pipeline, flags['backlog-seconds']));
  } finally {
    await stop(pipeline);
  }
  await writeReport({ name: 'pipeline', parameters: flags, figures, ratios: {} });
}

async function start(): Promise<Pipeline> {
  const broker = await startTestBroker();
  const engine = await startBenchEngine();
  const kafka = [`--kafka-brokers=${broker.direct}`, '--kafka-replication=1'];
  const collector = await startRole('collector', kafka);
  const ingesterFlags = [...kafka, ...engine.flags];
  const ingester = await startRole('ingester', ingesterFlags, engine.env);
  return { broker, engine, collector, ingester, ingesterFlags, acknowledged: 0 };
}

async function stop({ broker, engine, collector, ingester }: Pipeline): Promise<void> {
  await stopRole(collector);
  await stopRole(ingester);
  await engine.stop();
  await broker.stop();
}

/** At a rate: how soon spans are found, and what the processes hold. */
async function steady(pipeline: Pipeline, seconds: number, rate: number): Promise<Figure> {
  const { engine, collector } = pipeline;
  const [figure, fresh] = await Promise.all([
    load(pipeline, `${rate} spans/s`, seconds, rate, USUAL_REQUESTS),
    measureFreshness(engine, collector.http, seconds),
  ]);
  pipeline.acknowledged += fresh.sent;
  await stored(pipeline);
  return {
    ...figure,
    foundP50Ms: quantile(fresh.agesMs, 0.5),
    foundP99Ms: quantile(fresh.agesMs, 0.99),
    foundMaxMs: quantile(fresh.agesMs, 1),
  };
}

/** As quick as answers come, until all is stored. */
async function fullSpeed(pipeline: Pipeline, seconds: number): Promise<Figure> {
  return load(pipeline, 'full speed', seconds, undefined, LARGE_REQUESTS);
}

/** A new ingester on a backlog; its own CPU-seconds from its start, and from when it was ready. */
async function catchUp(pipeline: Pipeline, seconds: number): Promise<Figure> {
  await stopRole(pipeline.ingester);
  const before = pipeline.acknowledged;
  await load(pipeline, 'backlog', seconds, undefined, LARGE_REQUESTS, false);
  const spans = pipeline.acknowledged - before;
  const { ingesterFlags, engine } = pipeline;
  const startMs = performance.now();
  pipeline.ingester = await startRole('ingester', ingesterFlags, engine.env);
  const sampler = new Sampler({ ingester: pipeline.ingester.pid });
  const readyCpuSeconds = cpuOf(pipeline.ingester.pid);
  await stored(pipeline);
  const wallSeconds = (performance.now() - startMs) / 1000;
  const cpuSeconds = cpuOf(pipeline.ingester.pid);
  return {
    load: 'catch up, new ingester',
    spans,
    spansPerSecond: spans / wallSeconds,
    spansPerIngesterCpuSecond: spans / cpuSeconds,
    startCpuSeconds: readyCpuSeconds,
    spansPerIngesterCpuSecondOnceReady: spans / (cpuSeconds - readyCpuSeconds),
    ...sampler.stop(),
  };
}

async function load(
  pipeline: Pipeline,
  what: string,
  seconds: number,
  rate: number | undefined,
  size: typeof LARGE_REQUESTS,
  untilStored = true,
): Promise<Figure> {
  const { collector } = pipeline;
  const pids = pidsOf(pipeline);
  const before = cpuOfAll(pids);
  const sampler = new Sampler({ collector: collector.pid, ingester: pipeline.ingester.pid });
  const { load: sent } = await runLoad(collector.pid, {
    protocol: 'grpc',
    host: '127.0.0.1',
    port: collector.grpc,
    senders: 10,
    connections: 10,
    seconds,
    ...size,
    ...(rate === undefined ? {} : { requestsPerSecond: rate / size.spansPerRequest }),
  });
  pipeline.acknowledged += sent.spans;
  if (untilStored) await stored(pipeline);
  const after = cpuOfAll(pids);
  const micros = Object.fromEntries(
    Object.entries(after).map(([name, cpu]) => {
      return [`${name}MicrosPerSpan`, ((cpu - (before[name] ?? 0)) * 1e6) / sent.spans];
    }),
  );
  return {
    load: what,
    spans: sent.spans,
    spansPerSecond: sent.spans / sent.wallSeconds,
    latencyP99Ms: sent.latencyP99Ms,
    failures: Object.values(sent.failures).reduce((sum, count) => sum + count, 0),
    ...micros,
    generatorMicrosPerSpan: (sent.generatorCpuSeconds * 1e6) / sent.spans,
    ...sampler.stop(),
  };
}

/** Until the ledger of the ingester has every span that was acknowledged. */
async function stored({ engine, acknowledged }: Pipeline): Promise<void> {
  const endMs = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const [[spans = '0'] = []] = await engine.rows('SELECT sum(spans) FROM spanhouse.ranges FINAL');
    if (Number(spans) >= acknowledged) return;
    if (performance.now() > endMs) {
      throw new Error(`${spans} spans are stored of ${acknowledged} that were acknowledged`);
    }
    await sleep(POLL_MS);
  }
}

function pidsOf({ broker, engine, collector, ingester }: Pipeline): Record<string, number> {
  return {
    collector: collector.pid,
    broker: broker.pid,
    ingester: ingester.pid,
    clickhouse: engine.pid,
  };
}

function cpuOf(pid: number): number {
  return totalCpuSeconds(readProcessTree(pid));
}

function cpuOfAll(pids: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuOf(pid)]));
}

/** Peaks of what processes hold. */
class Sampler {
  readonly #peaks = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(pids: Readonly<Record<string, number>>) {
    const look = (): void => {
      for (const [name, pid] of Object.entries(pids)) {
        const bytes = totalRssBytes(readProcessTree(pid));
        this.#peaks.set(name, Math.max(this.#peaks.get(name) ?? 0, bytes));
      }
    };
    look();
    this.#timer = setInterval(look, SAMPLE_MS);
  }

  stop(): Figure {
    clearInterval(this.#timer);
    const peaks = [...this.#peaks].map(([name, bytes]) => [`${name}RssMiB`, bytes / 2 ** 20]);
    return Object.fromEntries(peaks) as Figure;
  }
}
