// For tests: an embedded engine on a directory of its own, and blocks made by the engine itself.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../clickhouse/migrate.ts';
import { type Embedded, startEmbedded } from './supervisor.ts';

export interface TestEngine extends AsyncDisposable {
  readonly embedded: Embedded;
  readonly dataDir: string;
  /** The rows of a query on the ingest user, as objects. */
  rows(query: string): Promise<readonly Record<string, unknown>[]>;
  /** The answer in Native, as ingest user. */
  native(query: string): Promise<Uint8Array>;
}

/** With our schema in it unless `migrated` is false. Disposing stops it and removes its files. */
export async function startTestEngine(migrated = true): Promise<TestEngine> {
  const dataDir = await mkdtemp(join(tmpdir(), 'spanhouse-test-'));
  const embedded = await startEmbedded({ dataDir });
  if (migrated) {
    const { access } = embedded;
    const client = await access.ingest();
    await migrate({ client, database: access.database, retentionDays: 30 });
  }
  return {
    embedded,
    dataDir,
    async rows(query) {
      const client = await embedded.access.ingest();
      const result = await client.query({ query, format: 'JSONEachRow' });
      return await result.json<Record<string, unknown>>();
    },
    async native(query) {
      const response = await send(embedded, 'ingest', `${query} FORMAT Native`);
      if (!response.ok) throw new Error(await response.text());
      return new Uint8Array(await response.arrayBuffer());
    },
    async [Symbol.asyncDispose]() {
      await embedded.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** One plain HTTP request, without the client between. */
export async function send(
  embedded: Embedded,
  role: 'ingest' | 'query',
  body: string | Uint8Array<ArrayBuffer>,
  parameters: Record<string, string> = {},
): Promise<Response> {
  const { user, password } = embedded.credentials(role);
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const url = `${await embedded.url()}/?${new URLSearchParams(parameters)}`;
  return fetch(url, { method: 'POST', body, headers: { authorization } });
}

/** SELECT of n spans that fit spans_in; other seeds give other spans. */
export function spansQuery(rows: number, seed = 0): string {
  return `SELECT 'default' AS tenant, cityHash64(number + ${seed}) AS trace_lo, number AS span_id,
    toDateTime64(now() - 60, 9, 'UTC') AS ts, toInt64(1000) AS duration, 'cart' AS service,
    concat('op', toString(number % 10)) AS name, 'R' AS resource,
    map('http.url', concat('https://example.com/', toString(cityHash64(number)))) AS attr_s
    FROM numbers(${rows}) SETTINGS max_block_size = 100000`;
}
