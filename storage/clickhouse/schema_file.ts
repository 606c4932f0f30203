// The numbered .sql files of schema/, and how they become statements for one kind of deployment.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface SchemaFile {
  readonly version: number;
  readonly name: string;
  /** Hex, of the template with LF line ends: the same for every deployment. */
  readonly sha256: string;
  readonly template: string;
}

export interface RenderOptions {
  readonly database: string;
  readonly retentionDays: number;
  /** Name of the ClickHouse cluster; undefined = embedded or a single server. */
  readonly cluster?: string | undefined;
}

const SCHEMA_DIR = fileURLToPath(new URL('./schema/', import.meta.url));

/** All files in order. Throws Error where numbers are missing or come twice. */
export function readSchemaFiles(directory = SCHEMA_DIR): readonly SchemaFile[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.sql'));
  return names.sort().map((name, index) => {
    const version = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1]);
    if (version !== index + 1) {
      throw new Error(`Expected schema file number ${index + 1}, found ${name}; rename it.`);
    }
    // A checkout on Windows must not look like a changed file.
    const template = readFileSync(`${directory}/${name}`, 'utf8').replaceAll('\r\n', '\n');
    const sha256 = createHash('sha256').update(template).digest('hex');
    return { version, name, sha256, template };
  });
}

/** The statements of a file, placeholders filled, comments and semicolons taken off. */
export function renderStatements(template: string, options: RenderOptions): readonly string[] {
  const values = placeholderValues(options);
  // Without a cluster nothing of the placeholder stays, not even its blank.
  const text = template.replaceAll(' {{on_cluster}}', onCluster(options.cluster));
  let sql = text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`Unknown placeholder {{${name}}} in a schema file.`);
    return value;
  });
  // Replicated tables keep their window in the keeper, under a setting of another name.
  if (options.cluster !== undefined) {
    sql = sql.replaceAll(/\bnon_replicated_deduplication_window\b/g, REPLICATED_WINDOW);
  }
  return sql
    .replaceAll(/^[ \t]*--.*\n/gm, '')
    .split(/;[ \t]*$/m)
    .map((statement) => statement.replaceAll(/[ \t]+$/gm, '').trim())
    .filter((statement) => statement !== '');
}

const REPLICATED_WINDOW = 'replicated_deduplication_window';

function placeholderValues(options: RenderOptions): Map<string, string> {
  const { database, cluster, retentionDays } = options;
  const values = new Map([
    ['db', database],
    ['retention_days', String(retentionDays)],
  ]);
  for (const engine of ['MergeTree', 'AggregatingMergeTree', 'ReplacingMergeTree']) {
    // {shard}, {replica}, {database}, {table} are the servers' own macros.
    const path = `/clickhouse/tables/{shard}/{database}/{table}`;
    values.set(
      engine,
      cluster === undefined ? engine : `Replicated${engine}('${path}', '{replica}')`,
    );
  }
  return values;
}

/** ` ON CLUSTER name` or ''. The name is checked by whoever took it from the outside. */
export function onCluster(cluster: string | undefined): string {
  return cluster === undefined ? '' : ` ON CLUSTER ${cluster}`;
}
