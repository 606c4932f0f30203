// Brings a database to the schema of this version of the code. Safe to run at every start, by
// several processes at once, and again after it was broken off: every statement can be repeated,
// and a file is noted as applied only after its last one.

import type { ClickHouseClient } from '@clickhouse/client';
import { checkDatabase } from './client.ts';
import { retentionChanges } from './retention.ts';
import { onCluster, readSchemaFiles, renderStatements, type SchemaFile } from './schema_file.ts';

export interface MigrateOptions {
  /** One that may change the schema: `await access.ingest()`. */
  readonly client: ClickHouseClient;
  readonly database: string;
  readonly retentionDays: number;
  /** Name of the ClickHouse cluster; undefined = embedded or a single server. */
  readonly cluster?: string | undefined;
  /** Change nothing, only return what would be run. */
  readonly dryRun?: boolean;
  /** For tests. */
  readonly schemaDir?: string;
}

export interface Migration {
  /** Names of the schema files that were (or would be) applied. */
  readonly applied: readonly string[];
  /** The statements that were (or would be) run, in order. */
  readonly statements: readonly string[];
}

/** The data of a trace's last day must be there a while; ten years is past any law we know of. */
const RETENTION_DAYS_MAX = 3650;

/**
 * Throws Error with one plain sentence when an applied file was changed, the database is newer than
 * the code, or an option cannot be; else what ClickHouse threw.
 */
export async function migrate(options: MigrateOptions): Promise<Migration> {
  const plan = new Plan(options);
  const files = readSchemaFiles(options.schemaDir);
  const known = await appliedFiles(options);
  checkHistory(options.database, files, known);
  const missing = files.filter((file) => !known.has(file.version));
  if (missing.length > 0) {
    await plan.run(`CREATE DATABASE IF NOT EXISTS ${plan.database}${plan.on} ENGINE = Atomic`);
    await plan.run(historyTable(plan));
  }
  for (const file of missing) {
    for (const statement of renderStatements(file.template, options)) await plan.run(statement);
    await plan.run(noteApplied(plan.database, file));
  }
  for (const statement of await retentionChanges({ ...options, files })) await plan.run(statement);
  return { applied: missing.map((file) => file.name), statements: plan.statements };
}

/** Runs statements, or only collects them. */
class Plan {
  readonly database: string;
  readonly on: string;
  readonly cluster: string | undefined;
  readonly statements: string[] = [];
  readonly #client: ClickHouseClient;
  readonly #dryRun: boolean;

  constructor(options: MigrateOptions) {
    this.database = checkDatabase(options.database);
    if (options.cluster !== undefined && !/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(options.cluster)) {
      throw new Error('Expected a cluster name of letters, digits and _; choose another name.');
    }
    const days = options.retentionDays;
    if (!Number.isInteger(days) || days < 1 || days > RETENTION_DAYS_MAX) {
      throw new Error(`Expected a retention of 1 to ${RETENTION_DAYS_MAX} days, got ${days}.`);
    }
    this.cluster = options.cluster;
    this.on = onCluster(options.cluster);
    this.#client = options.client;
    this.#dryRun = options.dryRun === true;
  }

  async run(statement: string): Promise<void> {
    this.statements.push(statement);
    if (!this.#dryRun) await this.#client.command({ query: statement });
  }
}

function historyTable(plan: Plan): string {
  const engine =
    plan.cluster === undefined
      ? 'ReplacingMergeTree'
      : "ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', " +
        "'{shard}-{replica}')";
  return `CREATE TABLE IF NOT EXISTS ${plan.database}.schema_migrations${plan.on} (
  version UInt32,
  name String,
  sha256 String,
  applied_at DateTime('UTC') DEFAULT now('UTC')
) ENGINE = ${engine}
ORDER BY version`;
}

/** All three values are ours and hold no quote: a number, a checked file name, hex. */
function noteApplied(database: string, file: SchemaFile): string {
  return (
    `INSERT INTO ${database}.schema_migrations (version, name, sha256) ` +
    `VALUES (${file.version}, '${file.name}', '${file.sha256}')`
  );
}

interface Applied {
  readonly version: number;
  readonly name: string;
  readonly sha256: string;
}

async function appliedFiles({ client, database }: MigrateOptions): Promise<Map<number, Applied>> {
  const exists = await client.query({
    query:
      'SELECT count() > 0 AS there FROM system.tables ' +
      "WHERE database = {database:String} AND name = 'schema_migrations'",
    query_params: { database },
    format: 'JSONEachRow',
  });
  const [row] = await exists.json<{ there: number }>();
  if (row?.there !== 1) return new Map();
  const applied = await client.query({
    query: `SELECT version, name, sha256 FROM ${checkDatabase(database)}.schema_migrations FINAL`,
    format: 'JSONEachRow',
  });
  const rows = await applied.json<Applied>();
  return new Map(rows.map((one) => [one.version, one]));
}

function checkHistory(
  database: string,
  files: readonly SchemaFile[],
  applied: ReadonlyMap<number, Applied>,
): void {
  for (const { version, name, sha256 } of applied.values()) {
    const file = files.find((one) => one.version === version);
    if (file === undefined) {
      throw new Error(
        `The database ${database} has schema ${version} (${name}), this Spanhouse knows ` +
          `${files.length}: it was used by a newer version; run that one.`,
      );
    }
    if (file.sha256 !== sha256) {
      throw new Error(
        `The schema file ${file.name} is not the one that was applied to the database ` +
          `${database} (sha256 ${file.sha256.slice(0, 12)} here, ${sha256.slice(0, 12)} there): ` +
          'run the version that applied it, or start with another database.',
      );
    }
  }
}
