// Receiving and checking over HTTP, gzip and gRPC in a process of its own, beside the OpenTelemetry
// Collector.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { LARGE_REQUESTS, SMALL_REQUESTS } from '../corpus.ts';
import { numericFlags } from '../flags.ts';
import type { LoadOptions, LoadProtocol } from '../load/options.ts';
import { type LoadRun, runLoad } from '../load/run_load.ts';
import { type Figure, median, writeReport } from '../report.ts';
import { startOtelCollector } from '../rivals/otel_collector.ts';

interface Contender {
  readonly name: string;
  readonly process: ChildProcess;
  readonly http: number;
  readonly grpc: number;
}

interface Case {
  readonly what: string;
  readonly protocol: LoadProtocol;
  readonly small: boolean;
  readonly senders: number;
}

/** As the rivals of peers.md were loaded: ten requests under way, fifty of the small ones. */
const CASES: readonly Case[] = [
  { what: 'gRPC 512', protocol: 'grpc', small: false, senders: 10 },
  { what: 'gRPC 10', protocol: 'grpc', small: true, senders: 50 },
  { what: 'HTTP 512', protocol: 'http', small: false, senders: 10 },
  { what: 'HTTP 10', protocol: 'http', small: true, senders: 50 },
  { what: 'HTTP gzip 512', protocol: 'http-gzip', small: false, senders: 10 },
];

const CONNECTIONS = 10;
const WARM_UP_SECONDS = 2;

export async function run(args: string[]): Promise<void> {
  const flags = numericFlags(args, { rounds: 3, seconds: 6 });
  const contenders: Contender[] = [await startOurs()];
  try {
    const rival = await startOtelCollector();
    if (rival !== undefined) contenders.push({ name: 'OpenTelemetry Collector', ...rival });
    const figures: Figure[] = [];
    const ratios: Record<string, number> = {};
    for (const load of CASES) {
      const medians = await measureCase(load, contenders, flags, figures);
      const [ours, theirs] = medians;
      if (ours !== undefined && theirs !== undefined) {
        ratios[`spans per CPU-second, ${load.what}: ours / OpenTelemetry Collector`] =
          ours / theirs;
      }
    }
    await writeReport({ name: 'receive', parameters: flags, figures, ratios });
  } finally {
    for (const contender of contenders) contender.process.kill();
  }
}

/** Rounds take turns between the contenders. Returns the median spans per CPU-second of each. */
async function measureCase(
  load: Case,
  contenders: readonly Contender[],
  flags: { readonly rounds: number; readonly seconds: number },
  figures: Figure[],
): Promise<number[]> {
  const runs = contenders.map((): LoadRun[] => []);
  for (const contender of contenders) await loadOnce(contender, load, WARM_UP_SECONDS);
  for (let round = 0; round < flags.rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      runs[i]?.push(await loadOnce(contender, load, flags.seconds));
    }
  }
  return contenders.map((contender, i) => {
    const own = runs[i] ?? [];
    const mid = (of: (run: LoadRun) => number): number => median(own.map(of));
    const spansPerCpuSecond = mid((r) => r.load.spans / r.server.cpuSeconds);
    figures.push({
      load: load.what,
      server: contender.name,
      spansPerCpuSecond,
      spansPerSecond: mid((r) => r.load.spans / r.load.wallSeconds),
      latencyP50Ms: mid((r) => r.load.latencyP50Ms),
      latencyP99Ms: mid((r) => r.load.latencyP99Ms),
      rssPeakMiB: mid((r) => r.server.rssPeakBytes / 2 ** 20),
      generatorCpuShare: mid((r) => r.load.generatorCpuSeconds / r.load.wallSeconds),
      failures: own.reduce((sum, r) => sum + total(r.load.failures), 0),
    });
    return spansPerCpuSecond;
  });
}

function loadOnce(contender: Contender, load: Case, seconds: number): Promise<LoadRun> {
  const pid = contender.process.pid;
  if (pid === undefined) throw new Error(`${contender.name} has not started.`);
  const options: LoadOptions = {
    protocol: load.protocol,
    host: '127.0.0.1',
    port: load.protocol === 'grpc' ? contender.grpc : contender.http,
    senders: load.senders,
    connections: CONNECTIONS,
    seconds,
    ...(load.small ? SMALL_REQUESTS : LARGE_REQUESTS),
  };
  return runLoad(pid, options);
}

async function startOurs(): Promise<Contender> {
  const file = path.join(import.meta.dirname, 'server.ts');
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const ports = JSON.parse(line.toString()) as { http: number; grpc: number };
  return { name: 'Spanhouse', process: child, ...ports };
}

function total(failures: Readonly<Record<string, number>>): number {
  return Object.values(failures).reduce((sum, count) => sum + count, 0);
}
