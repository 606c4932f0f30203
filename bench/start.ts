// How long `spanhouse all-in-one` takes from its start to ready: with no data, with data, and after
// kill -9.

import { once } from 'node:events';
import {
  type AllInOne,
  makeDataDirectory,
  removeDataDirectory,
  startAllInOne,
  stopAllInOne,
} from './all_in_one/process.ts';
import { LARGE_REQUESTS } from './corpus.ts';
import { numericFlags } from './flags.ts';
import { runLoad } from './load/run_load.ts';
import { median, writeReport } from './report.ts';

export async function run(args: string[]): Promise<void> {
  const flags = numericFlags(args, { rounds: 3, 'fill-seconds': 15 });
  const directory = await makeDataDirectory();
  let server: AllInOne | undefined;
  try {
    server = await startAllInOne(directory);
    const emptyMs = server.readyMs;
    const target = { protocol: 'http', host: '127.0.0.1', port: server.http } as const;
    const senders = { senders: 100, connections: 100, seconds: flags['fill-seconds'] };
    const { load } = await runLoad(server.pid, { ...target, ...senders, ...LARGE_REQUESTS });
    const stopsMs: number[] = [];
    const withDataMs: number[] = [];
    for (let round = 0; round < flags.rounds; round++) {
      stopsMs.push(await stopAllInOne(server));
      server = await startAllInOne(directory);
      withDataMs.push(server.readyMs);
    }
    const afterKillMs: number[] = [];
    for (let round = 0; round < flags.rounds; round++) {
      const exited = once(server.process, 'exit');
      server.process.kill('SIGKILL');
      await exited;
      server = await startAllInOne(directory);
      afterKillMs.push(server.readyMs);
    }
    const row = (what: string, all: readonly number[], spans: number) => {
      return { what, medianMs: median(all), slowestMs: Math.max(...all), spansStored: spans };
    };
    const figures = [
      row('start without data', [emptyMs], 0),
      row('start with data', withDataMs, load.spans),
      row('start after kill -9', afterKillMs, load.spans),
      row('stop (SIGTERM)', stopsMs, load.spans),
    ];
    await writeReport({ name: 'start', parameters: flags, figures, ratios: {} });
  } finally {
    if (server !== undefined) await stopAllInOne(server);
    await removeDataDirectory(directory);
  }
}
