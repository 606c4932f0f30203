// Opens the ClickHouse that the settings name: a server by URL, or else the embedded engine.

import { type Config, retentionDays } from '../service/config_schema.ts';
import { type ClickHouseAccess, serverAccess } from '../storage/clickhouse/client.ts';
import { type Migration, migrate } from '../storage/clickhouse/migrate.ts';
import { type Embedded, startEmbedded } from '../storage/embedded/supervisor.ts';

export interface OpenStorage {
  readonly access: ClickHouseAccess;
  /** undefined: a server by URL. */
  readonly embedded: Embedded | undefined;
  stop(): Promise<void>;
}

/** Throws Error with one plain sentence when the embedded engine cannot be opened. */
export async function openStorage(config: Config): Promise<OpenStorage> {
  const { url, database, user, password } = config.clickhouse;
  if (url === '') {
    const embedded = await openEmbedded(config);
    return { access: embedded.access, embedded, stop: () => embedded.stop() };
  }
  const ingest = { url, user, password };
  const queryUser = config.clickhouse.query_user;
  const query =
    queryUser === ''
      ? ingest
      : { url, user: queryUser, password: config.clickhouse.query_password };
  const access = serverAccess({ ingest, query, database });
  return { access, embedded: undefined, stop: () => access.close() };
}

export function openEmbedded(config: Config): Promise<Embedded> {
  return startEmbedded({
    dataDir: config.storage.directory,
    memoryBytes: config.clickhouse.memory,
    database: config.clickhouse.database,
  });
}

export async function migrateStorage(
  config: Config,
  access: ClickHouseAccess,
  dryRun = false,
): Promise<Migration> {
  const { cluster } = config.clickhouse;
  return migrate({
    client: await access.ingest(),
    database: access.database,
    retentionDays: retentionDays(config),
    ...(cluster === '' ? {} : { cluster }),
    dryRun,
  });
}
