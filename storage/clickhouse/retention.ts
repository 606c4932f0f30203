// Retention is a TTL of each table. When the setting changes, the tables are told.

import type { ClickHouseClient } from '@clickhouse/client';
import { onCluster, renderStatements, type SchemaFile } from './schema_file.ts';

export interface RetentionOptions {
  readonly client: ClickHouseClient;
  readonly database: string;
  readonly retentionDays: number;
  readonly cluster?: string | undefined;
  readonly files: readonly SchemaFile[];
}

/** `ALTER TABLE … MODIFY TTL` for each table whose TTL has other days than asked. */
export async function retentionChanges(options: RetentionOptions): Promise<readonly string[]> {
  const result = await options.client.query({
    query: 'SELECT name, engine_full FROM system.tables WHERE database = {database:String}',
    query_params: { database: options.database },
    format: 'JSONEachRow',
  });
  const tables = await result.json<{ name: string; engine_full: string }>();
  const wanted = ttlByTable(options);
  const changes: string[] = [];
  for (const { name, engine_full } of tables) {
    const ttl = wanted.get(name);
    const days = daysOf(engine_full);
    if (ttl === undefined || days === undefined || days === options.retentionDays) continue;
    const on = onCluster(options.cluster);
    changes.push(`ALTER TABLE ${options.database}.${name}${on} MODIFY TTL ${ttl}`);
  }
  return changes;
}

/** The TTL clauses that the schema files give, rendered for the wanted days; the last one counts. */
function ttlByTable(options: RetentionOptions): Map<string, string> {
  const ttls = new Map<string, string>();
  const prefix = `CREATE TABLE IF NOT EXISTS ${options.database}.`;
  for (const file of options.files) {
    for (const statement of renderStatements(file.template, options)) {
      const name = statement.startsWith(prefix)
        ? /^\w+/.exec(statement.slice(prefix.length))?.[0]
        : undefined;
      const ttl = /^TTL (.+)$/m.exec(statement)?.[1];
      if (name !== undefined && ttl !== undefined) ttls.set(name, ttl);
    }
  }
  return ttls;
}

/** The first interval of a TTL as ClickHouse writes it back; further ones are fixed margins. */
function daysOf(engineFull: string): number | undefined {
  const days = /\bTTL .*?toIntervalDay\((\d+)\)/s.exec(engineFull)?.[1];
  return days === undefined ? undefined : Number(days);
}
