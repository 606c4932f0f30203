// What `spanhouse all-in-one` acknowledges when stored, by 1, 10 and 100 serial senders and at its
// limit; a lone request's latency, what a trickle costs, and memory.

import { LARGE_REQUESTS } from '../corpus.ts';
import { numericFlags } from '../flags.ts';
import type { LoadOptions } from '../load/options.ts';
import { readProcessTree, totalRssBytes } from '../load/process_tree.ts';
import { type LoadRun, runLoad, untilQuiet } from '../load/run_load.ts';
import { type Figure, writeReport } from '../report.ts';
import {
  type AllInOne,
  makeDataDirectory,
  removeDataDirectory,
  startAllInOne,
  stopAllInOne,
} from './process.ts';

const MIB = 2 ** 20;

interface Case {
  readonly what: string;
  readonly protocol: LoadOptions['protocol'];
  readonly senders: number;
}

/** The corpus lends 200 requests at once, and a gRPC connection carries 100 calls. */
const SATURATING_SENDERS = 180;
const CONNECTIONS = 10;

const CASES: readonly Case[] = [
  { what: '1 serial sender, HTTP', protocol: 'http', senders: 1 },
  { what: '10 serial senders, HTTP', protocol: 'http', senders: 10 },
  { what: '100 serial senders, HTTP', protocol: 'http', senders: 100 },
  { what: '1 serial sender, gRPC', protocol: 'grpc', senders: 1 },
  { what: 'saturating, gRPC', protocol: 'grpc', senders: SATURATING_SENDERS },
  { what: 'saturating, HTTP gzip', protocol: 'http-gzip', senders: SATURATING_SENDERS },
];

export async function run(args: string[]): Promise<void> {
  const flags = numericFlags(args, { seconds: 10, 'trickle-seconds': 30 });
  const directory = await makeDataDirectory();
  let server: AllInOne | undefined;
  try {
    server = await startAllInOne(directory);
    await untilQuiet(server.pid);
    const figures: Figure[] = [
      { load: 'idle', rssEndMiB: totalRssBytes(readProcessTree(server.pid)) / MIB },
      await trickle(server, flags['trickle-seconds']),
    ];
    for (const load of CASES) {
      const options = optionsOf(server, load.protocol, load.senders, flags.seconds);
      figures.push(toFigure(load.what, await runLoad(server.pid, options)));
    }
    await writeReport({ name: 'all-in-one', parameters: flags, figures, ratios: {} });
  } finally {
    if (server !== undefined) await stopAllInOne(server);
    await removeDataDirectory(directory);
  }
}

/** A lone request each second: its latency, and what waiting for the next one costs. */
async function trickle(server: AllInOne, seconds: number): Promise<Figure> {
  const options = { ...optionsOf(server, 'http', 1, seconds), requestsPerSecond: 1 };
  const run = await runLoad(server.pid, options);
  const cpuShare = run.server.cpuSecondsAnswered / run.load.wallSeconds;
  return { ...toFigure('1 request a second', run), cpuShare };
}

function optionsOf(
  server: AllInOne,
  protocol: LoadOptions['protocol'],
  senders: number,
  seconds: number,
): LoadOptions {
  const port = protocol === 'grpc' ? server.grpc : server.http;
  const connections = Math.min(senders, CONNECTIONS);
  const target = { protocol, host: '127.0.0.1', port };
  return { ...target, senders, connections, seconds, ...LARGE_REQUESTS };
}

/** CPU until quiet includes merges; until answered it does not include those still to come. */
function toFigure(load: string, { load: result, server }: LoadRun): Figure {
  const failures = Object.entries(result.failures).map(([what, count]) => `${what} ×${count}`);
  const processes = Object.entries(server.cpuSecondsByProcess).map(
    ([name, seconds]) => `${name} ${seconds.toFixed(1)}`,
  );
  return {
    load,
    spansPerSecond: result.spans / result.wallSeconds,
    spansPerCpuSecond: result.spans / server.cpuSeconds,
    spansPerCpuSecondAnswered: result.spans / server.cpuSecondsAnswered,
    latencyP50Ms: result.latencyP50Ms,
    latencyP99Ms: result.latencyP99Ms,
    latencyMaxMs: result.latencyMaxMs,
    rssPeakMiB: server.rssPeakBytes / MIB,
    rssEndMiB: server.rssEndBytes / MIB,
    generatorCpuShare: result.generatorCpuSeconds / result.wallSeconds,
    rejectedSpans: result.rejectedSpans,
    cpuSeconds: processes.join(', '),
    failures: failures.join(', '),
  };
}
