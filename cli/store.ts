// The store that the settings name: a ClickHouse server by address, or the embedded engine. After
// this nobody knows which.

import type { Config } from '../service/config_schema.ts';
import type { Health } from '../service/health.ts';
import type { Lifecycle } from '../service/lifecycle.ts';
import type { Log } from '../service/log.ts';
import { type ClickHouseAccess, serverAccess } from '../storage/clickhouse/client.ts';
import { migrate } from '../storage/clickhouse/migrate.ts';
import { startEmbedded } from '../storage/embedded/supervisor.ts';

const DAY_MS = 86_400_000;

export interface StoreDeps {
  readonly config: Config;
  readonly life: Lifecycle;
  readonly log: Log;
  readonly health: Health;
}

/** Opens the store as a part of `life`. Throws Error with one plain sentence. */
export async function openStore(deps: StoreDeps): Promise<ClickHouseAccess> {
  return deps.config.clickhouse.url === '' ? openEmbedded(deps) : openServer(deps);
}

async function openEmbedded({ config, life, log, health }: StoreDeps): Promise<ClickHouseAccess> {
  const engine = await life.start('clickhouse', () =>
    startEmbedded({
      dataDir: config.storage.directory,
      memoryBytes: config.clickhouse.memory,
      database: config.clickhouse.database,
    }),
  );
  engine.onDeath((message) => log.error(message));
  health.check('clickhouse', () =>
    engine.state === 'ready' ? undefined : `the embedded engine is ${engine.state}`,
  );
  return engine.access;
}

async function openServer({ config, life }: StoreDeps): Promise<ClickHouseAccess> {
  const { url, user, password, database, query_user, query_password } = config.clickhouse;
  const ingest = { url, user, password };
  const query = query_user === '' ? ingest : { url, user: query_user, password: query_password };
  const access = serverAccess({ ingest, query, database });
  await life.start('clickhouse client', () => ({ stop: () => access.close() }));
  return access;
}

/** Brings the tables to this version and to the retention that is set. */
export async function migrateStore(
  access: ClickHouseAccess,
  config: Config,
  log: Log,
): Promise<void> {
  const { applied } = await migrate({
    client: await access.ingest(),
    database: access.database,
    retentionDays: retentionDays(config),
    ...(config.clickhouse.cluster === '' ? {} : { cluster: config.clickhouse.cluster }),
  });
  if (applied.length > 0) log.info('tables brought to this version', { files: applied });
}

/** Whole days are dropped at once, so a retention counts from the next full day. */
export function retentionDays(config: Config): number {
  return Math.ceil(config.retention / DAY_MS);
}
