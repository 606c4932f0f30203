// Fills one variant with the corpus, one block an insert as the ingester does, and says what that
// costs.

import { BLOCK_ROWS_MAX } from '../../model/limits.ts';
import { median } from '../report.ts';
import { type Corpus, searchFile } from './corpus.ts';
import { type Engine, measure } from './engine.ts';
import { statements, type Variant } from './variants.ts';

export interface Filled {
  readonly variant: Variant;
  readonly db: string;
  /** CPU of the inserts and the merges that ran beside them and after them, microseconds a row. */
  readonly insertUs: number;
  readonly allUs: number;
  /** Rows that merges wrote, over all tables, for each span. */
  readonly mergedPerSpan: number;
  /** Bytes on disk a span: table name to bytes. */
  readonly bytes: Readonly<Record<string, number>>;
}

/** What storage/clickhouse/insert.ts sends, and one thread so that CPU is comparable. */
const INSERT_SETTINGS =
  'max_threads = 1, max_insert_threads = 1, max_insert_block_size = 1048576, ' +
  'min_insert_block_size_rows = 0, min_insert_block_size_bytes = 0, async_insert = 0, ' +
  'insert_deduplicate = 1, deduplicate_blocks_in_dependent_materialized_views = 1';

/** Creates the variant's tables in a database of its own; any earlier ones are dropped. */
export async function create(engine: Engine, variant: Variant): Promise<string> {
  const db = `v_${variant.name.replaceAll(/[^a-z0-9]/g, '_')}`;
  await engine.run(`DROP DATABASE IF EXISTS ${db} SYNC`);
  await engine.run(`CREATE DATABASE ${db}`);
  // One variant stores ids as dictionaries, which ClickHouse asks to be sure about.
  await engine.run('SET allow_suspicious_low_cardinality_types = 1');
  for (const statement of statements(variant, db)) await engine.run(statement);
  return db;
}

/** As `fill`, but the last blocks stay as they were inserted until `merge` is called. */
export async function fillFresh(
  engine: Engine,
  corpus: Corpus,
  variant: Variant,
  fresh: number,
): Promise<{ readonly db: string; merge(): Promise<Filled> }> {
  const db = await create(engine, variant);
  const before = await engine.mergedRows();
  let cpuMs = 0;
  let insertMs = 0;
  const insertAll = async (files: readonly string[]): Promise<void> => {
    for (const file of files) {
      insertMs += (await measure(() => insert(engine, db, variant, file))).cpuMs;
    }
  };
  cpuMs += (
    await measure(async () => {
      await insertAll(corpus.files.slice(0, -fresh));
      await engine.quiet();
      await engine.run('SYSTEM STOP MERGES');
      await insertAll(corpus.files.slice(-fresh));
    })
  ).cpuMs;
  const merge = async (): Promise<Filled> => {
    const merging = await measure(async () => {
      await engine.run('SYSTEM START MERGES');
      await engine.quiet();
    });
    const allMs = cpuMs + merging.cpuMs;
    return await filled(engine, corpus, variant, db, insertMs, allMs, before);
  };
  return { db, merge };
}

export interface Priced {
  readonly variant: Variant;
  /** CPU of inserting, microseconds a row: the median block, all tables. */
  readonly insertUs: number;
  /** CPU of writing every row of every table once more, as one merge of all parts does. */
  readonly mergeUs: number;
  readonly bytes: Readonly<Record<string, number>>;
}

/**
 * Prices variants against each other on a machine that others use too: each block goes into all
 * of them before the next one, with merges stopped, and then each is merged once, whole.
 */
export async function price(
  engine: Engine,
  corpus: Corpus,
  variants: readonly Variant[],
): Promise<readonly Priced[]> {
  const filled = [];
  for (const variant of variants) {
    filled.push({ variant, db: await create(engine, variant), inserts: [] as number[] });
  }
  await engine.run('SYSTEM STOP MERGES');
  for (const file of corpus.files) {
    for (const { variant, db, inserts } of filled) {
      inserts.push((await measure(() => insert(engine, db, variant, file))).cpuMs);
    }
  }
  await engine.run('SYSTEM START MERGES');
  await engine.quiet();
  const priced: Priced[] = [];
  for (const { variant, db, inserts } of filled) {
    const tables = await engine.rows(
      `SELECT name FROM system.tables WHERE database = '${db}' AND engine LIKE '%MergeTree'`,
    );
    const merge = await measure(async () => {
      for (const [table = ''] of tables) await engine.run(`OPTIMIZE TABLE ${db}.${table} FINAL`);
    });
    // The last block is a rest.
    const insertMs = median(inserts.slice(0, -1));
    const bytes = await bytesPerSpan(engine, db, corpus.rows);
    const mergeUs = (merge.cpuMs * 1000) / corpus.rows;
    priced.push({ variant, insertUs: (insertMs * 1000) / BLOCK_ROWS_MAX, mergeUs, bytes });
    await engine.run(`DROP DATABASE ${db}`);
  }
  return priced;
}

async function filled(
  engine: Engine,
  corpus: Corpus,
  variant: Variant,
  db: string,
  insertMs: number,
  allMs: number,
  mergedBefore: number,
): Promise<Filled> {
  const perSpan = (value: number): number => value / corpus.rows;
  return {
    variant,
    db,
    insertUs: perSpan(insertMs * 1000),
    allUs: perSpan(allMs * 1000),
    mergedPerSpan: perSpan((await engine.mergedRows()) - mergedBefore),
    bytes: await bytesPerSpan(engine, db, corpus.rows),
  };
}

export async function insert(
  engine: Engine,
  db: string,
  variant: Variant,
  file: string,
): Promise<void> {
  const more = variant.insertSettings === undefined ? '' : `, ${variant.insertSettings}`;
  await engine.run(
    `INSERT INTO ${db}.spans_in SELECT * FROM file('${file}', 'Native') ` +
      `SETTINGS ${INSERT_SETTINGS}${more}, insert_deduplication_token = '${file}'`,
  );
  if (!variant.ownSearch) return;
  await engine.run(
    `INSERT INTO ${db}.search SELECT * FROM file('${searchFile(file)}', 'Native') ` +
      `SETTINGS ${INSERT_SETTINGS}, insert_deduplication_token = '${file}'`,
  );
}

async function bytesPerSpan(
  engine: Engine,
  db: string,
  rows: number,
): Promise<Readonly<Record<string, number>>> {
  const found = await engine.rows(
    `SELECT table, sum(bytes_on_disk) FROM system.parts WHERE active AND database = '${db}'
     GROUP BY table ORDER BY table`,
  );
  const bytes: Record<string, number> = { all: 0 };
  for (const [table = '', sum = '0'] of found) {
    bytes[table] = Number(sum) / rows;
    bytes['all'] = (bytes['all'] ?? 0) + Number(sum) / rows;
  }
  return bytes;
}
