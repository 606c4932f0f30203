// From a sender's request to Kafka's acknowledgement: the collector by either client and
// compression, the broker's CPU apart. Generator, collector and broker share the machine.

import { startTestBroker, type TestBroker } from '../../storage/kafka/testing/broker.ts';
import { LARGE_REQUESTS, SMALL_REQUESTS } from '../corpus.ts';
import { numericFlags } from '../flags.ts';
import type { LoadProtocol } from '../load/options.ts';
import { readProcessTree, totalCpuSeconds } from '../load/process_tree.ts';
import { type LoadRun, runLoad } from '../load/run_load.ts';
import { type Figure, median, writeReport } from '../report.ts';
import { type Role, startRole, stopRole } from '../role.ts';

interface Case {
  readonly what: string;
  readonly protocol: LoadProtocol;
  readonly small: boolean;
  readonly senders: number;
}

/** As the receivers are loaded (bench/receive). */
const CASES: readonly Case[] = [
  { what: 'gRPC 512', protocol: 'grpc', small: false, senders: 10 },
  { what: 'gRPC 10', protocol: 'grpc', small: true, senders: 50 },
  { what: 'HTTP 512', protocol: 'http', small: false, senders: 10 },
  { what: 'HTTP 10', protocol: 'http', small: true, senders: 50 },
];

const WAYS = [
  { driver: 'platformatic', compression: 'none' },
  { driver: 'platformatic', compression: 'lz4' },
  { driver: 'platformatic', compression: 'zstd' },
  { driver: 'kafkajs', compression: 'none' },
  { driver: 'kafkajs', compression: 'zstd' },
] as const;

const CONNECTIONS = 10;
const WARM_UP_SECONDS = 2;

interface Measured extends LoadRun {
  readonly brokerCpuSeconds: number;
}

export async function run(args: string[]): Promise<void> {
  const flags = numericFlags(args, { rounds: 2, seconds: 5 });
  const broker = await startTestBroker();
  const figures: Figure[] = [];
  const rates = new Map<string, number>();
  try {
    for (const way of WAYS) {
      const collector = await startRole('collector', [
        `--kafka-brokers=${broker.direct}`,
        `--kafka-topic=bench-${way.driver}-${way.compression}`,
        '--kafka-replication=1',
        `--kafka-driver=${way.driver}`,
        `--kafka-compression=${way.compression}`,
      ]);
      try {
        for (const load of CASES) {
          await loadOnce(collector, broker, load, WARM_UP_SECONDS);
          const runs: Measured[] = [];
          for (let round = 0; round < flags.rounds; round++) {
            runs.push(await loadOnce(collector, broker, load, flags.seconds));
          }
          const figure = figureOf(load, way, runs);
          figures.push(figure);
          rates.set(`${way.driver} ${way.compression} ${load.what}`, figure.spansPerCpuSecond);
        }
      } finally {
        await stopRole(collector);
      }
    }
  } finally {
    await broker.stop();
  }
  await writeReport({ name: 'kafka-publish', parameters: flags, figures, ratios: ratiosOf(rates) });
}

async function loadOnce(
  collector: Role,
  broker: TestBroker,
  load: Case,
  seconds: number,
): Promise<Measured> {
  const before = totalCpuSeconds(readProcessTree(broker.pid));
  const run = await runLoad(collector.pid, {
    protocol: load.protocol,
    host: '127.0.0.1',
    port: load.protocol === 'grpc' ? collector.grpc : collector.http,
    senders: load.senders,
    connections: CONNECTIONS,
    seconds,
    ...(load.small ? SMALL_REQUESTS : LARGE_REQUESTS),
  });
  return { ...run, brokerCpuSeconds: totalCpuSeconds(readProcessTree(broker.pid)) - before };
}

function figureOf(load: Case, way: (typeof WAYS)[number], runs: readonly Measured[]) {
  const mid = (of: (one: Measured) => number): number => median(runs.map(of));
  return {
    load: load.what,
    ...way,
    spansPerCpuSecond: mid((one) => one.load.spans / one.server.cpuSeconds),
    spansPerBrokerCpuSecond: mid((one) => one.load.spans / one.brokerCpuSeconds),
    spansPerSecond: mid((one) => one.load.spans / one.load.wallSeconds),
    latencyP50Ms: mid((one) => one.load.latencyP50Ms),
    latencyP99Ms: mid((one) => one.load.latencyP99Ms),
    rssPeakMiB: mid((one) => one.server.rssPeakBytes / 2 ** 20),
    failures: runs.reduce((sum, one) => sum + total(one.load.failures), 0),
  };
}

function ratiosOf(rates: ReadonlyMap<string, number>): Record<string, number> {
  const ratios: Record<string, number> = {};
  for (const { what } of CASES) {
    const fast = rates.get(`platformatic none ${what}`) ?? 0;
    const wide = rates.get(`kafkajs none ${what}`) ?? 0;
    ratios[`spans per CPU-second, ${what}, none: platformatic / kafkajs`] = fast / wide;
  }
  return ratios;
}

function total(failures: Readonly<Record<string, number>>): number {
  return Object.values(failures).reduce((sum, count) => sum + count, 0);
}
