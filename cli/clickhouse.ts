// `spanhouse clickhouse`: the embedded engine alone, for tests and for separate processes that share
// one engine on one machine.

import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../service/config.ts';
import { type Lifecycle, runService } from '../service/lifecycle.ts';
import { createLog, type Log } from '../service/log.ts';
import { type Embedded, startEmbedded } from '../storage/embedded/supervisor.ts';
import { type Command, helpPage } from './command.ts';

export const clickhouse: Command = {
  help: () =>
    helpPage({
      usage: 'clickhouse [settings]',
      about: `Runs the embedded ClickHouse engine alone, behind ClickHouse's HTTP interface on a loopback
port that the system chooses. Two users: \`ingest\` may write, \`query\` may only read. Address and
passwords are written to a file that only you can read; its name is printed, it follows the engine
when that restarts on another port, and it is removed at the end.`,
      settings: ['storage', 'clickhouse.memory', 'log', 'shutdown'],
    }),
  run: ({ args, env, out }) => {
    const { config } = loadConfig(args, env);
    const log = createLog(config.log);
    const path = join(env['XDG_RUNTIME_DIR'] ?? tmpdir(), `spanhouse-clickhouse-${randomUUID()}`);
    return runService({
      log,
      graceMs: config.shutdown.grace,
      start: async (life: Lifecycle) => {
        await life.start('address file', () => ({ stop: () => rmSync(path, { force: true }) }));
        const embedded = await life.start('engine', () =>
          startEmbedded({
            dataDir: config.storage.directory,
            memoryBytes: config.clickhouse.memory,
          }),
        );
        embedded.onDeath((message) => {
          log.warn(message);
          void follow(embedded, path, log);
        });
        const url = await writeAddress(embedded, path);
        out(`ClickHouse listens at ${url}, its data is in ${config.storage.directory}`);
        out(`Users and passwords are in ${path}`);
      },
    });
  },
};

async function follow(embedded: Embedded, path: string, log: Log): Promise<void> {
  try {
    log.info('the engine is back', { url: await writeAddress(embedded, path) });
  } catch (error) {
    log.error('the address file is out of date: the engine is not back yet', { error });
  }
}

/** Renamed into place, so that a reader never sees half of it. */
async function writeAddress(embedded: Embedded, path: string): Promise<string> {
  const url = await embedded.url();
  const address = {
    url,
    ingest: embedded.credentials('ingest'),
    query: embedded.credentials('query'),
  };
  const fresh = `${path}.new`;
  writeFileSync(fresh, `${JSON.stringify(address, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(fresh, path);
  return url;
}
