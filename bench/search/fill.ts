// An embedded engine that holds the corpus of bench/storage, filled through the insert path that the
// ingester uses. Kept under the system's temporary folder, so that only the first run fills it.

import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BLOCK_ROWS_MAX } from '../../model/limits.ts';
import { ClickHouseSpanStore } from '../../storage/clickhouse/insert.ts';
import { migrate } from '../../storage/clickhouse/migrate.ts';
import { type Embedded, startEmbedded } from '../../storage/embedded/supervisor.ts';
import type { Corpus } from '../storage/corpus.ts';

/** The corpus lies in the past, and must stay there. */
const RETENTION_DAYS = 3650;
const QUIET_MS_MAX = 120_000;

/** The engine with all of the corpus in it, merged as far as ClickHouse chose to. */
export async function openFilled(corpus: Corpus, fresh: boolean): Promise<Embedded> {
  const folder = `${path.dirname(corpus.files[0] ?? '')}-search`;
  const done = path.join(folder, 'filled');
  if (fresh || !existsSync(done)) await rm(folder, { recursive: true, force: true });
  const engine = await startEmbedded({ dataDir: path.join(folder, 'data') });
  try {
    if (!existsSync(done)) {
      await fill(engine, corpus);
      await writeFile(done, '');
    }
  } catch (error) {
    await engine.stop();
    throw error;
  }
  return engine;
}

async function fill({ access }: Embedded, corpus: Corpus): Promise<void> {
  console.error(`  inserting ${corpus.rows} spans …`);
  const client = await access.ingest();
  await migrate({ client, database: access.database, retentionDays: RETENTION_DAYS });
  const store = new ClickHouseSpanStore(access);
  for (const [n, file] of corpus.files.entries()) {
    const rows = Math.min(BLOCK_ROWS_MAX, corpus.rows - n * BLOCK_ROWS_MAX);
    await store.insert({ native: await readFile(file), rows, token: path.basename(file) });
  }
  const start = performance.now();
  for (let quiet = 0; quiet < 8 && performance.now() - start < QUIET_MS_MAX; quiet++) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const result = await client.query({
      query: 'SELECT count() AS merges FROM system.merges',
      format: 'JSONEachRow',
    });
    const [row] = await result.json<{ merges: string | number }>();
    if (Number(row?.merges) > 0) quiet = -1;
  }
}
