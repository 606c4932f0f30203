// Builds the benchmark's spans once and keeps them as Native files, one a block, under the system's
// temporary folder: filling a variant then costs what inserting costs, and every variant gets the
// same bytes.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { BLOCK_ROWS_MAX } from '../../model/limits.ts';
import { Engine } from './engine.ts';

/** Mean spans a trace, from corpus_keys.sql: 22 + 1,000 / 2,700 + 10,000 / 54,000. */
const SPANS_PER_TRACE = 22.55;

export interface TraceFact {
  readonly lo: string;
  readonly hi: string;
  readonly spans: number;
  /** First start and last end, nanoseconds since the epoch. */
  readonly startNanos: string;
  readonly endNanos: string;
}

export interface Corpus {
  readonly rows: number;
  readonly traces: number;
  /** Files of one Native block each, in order of arrival. */
  readonly files: readonly string[];
  /**
   * Where to look, by size of trace: 12, 1,000 and 10,000 spans; and newest ones in the last
   * blocks.
   */
  readonly facts: Readonly<Record<'12' | '1000' | '10000' | 'fresh', readonly TraceFact[]>>;
}

/** Makes the corpus of about `rows` spans, or finds it as an earlier run left it. */
export async function openCorpus(rows: number): Promise<Corpus> {
  const keysSql = readFileSync(path.join(import.meta.dirname, 'corpus_keys.sql'), 'utf8');
  const spansSql = readFileSync(path.join(import.meta.dirname, 'corpus_spans.sql'), 'utf8');
  const mark = createHash('sha256')
    .update(keysSql)
    .update(spansSql)
    .update(write.toString())
    .digest('hex')
    .slice(0, 12);
  const folder = path.join(os.tmpdir(), 'spanhouse-bench-storage', `corpus-${rows}-${mark}`);
  const index = path.join(folder, 'corpus.json');
  if (existsSync(index)) return JSON.parse(await readFile(index, 'utf8')) as Corpus;
  console.error(`  making ${rows} spans in ${folder} …`);
  const draft = `${folder}.${process.pid}`;
  await mkdir(draft, { recursive: true });
  const engine = new Engine(path.join(draft, 'engine'));
  const traces = Math.ceil(rows / SPANS_PER_TRACE);
  const corpus = await write(engine, draft, folder, traces, keysSql, spansSql);
  engine.close();
  await rm(path.join(draft, 'engine'), { recursive: true, force: true });
  await writeFile(path.join(draft, 'corpus.json'), JSON.stringify(corpus));
  await rename(draft, folder);
  return corpus;
}

async function write(
  engine: Engine,
  draft: string,
  folder: string,
  traces: number,
  keysSql: string,
  spansSql: string,
): Promise<Corpus> {
  const values = { traces: String(traces), block_rows: String(BLOCK_ROWS_MAX) };
  await engine.run(fillIn(keysSql, values));
  const [counts] = await engine.rows('SELECT count(), max(block) + 1, uniqExact(t) FROM keys');
  const [rows = 0, blocks = 0, found = 0] = (counts ?? []).map(Number);
  const files: string[] = [];
  for (let block = 0; block < blocks; block++) {
    const name = `block_${String(block).padStart(4, '0')}.native`;
    const select = fillIn(spansSql, { block: String(block) });
    const file = path.join(draft, name);
    await engine.run(
      `INSERT INTO FUNCTION file('${file}', 'Native') ${select} SETTINGS max_threads = 1`,
    );
    await engine.run(
      `INSERT INTO FUNCTION file('${searchFile(file)}', 'Native')
       SELECT tenant, service, name, ts, duration, trace_lo, kind, status
       FROM file('${file}', 'Native')
       ORDER BY tenant, service, name, ts SETTINGS max_threads = 1`,
    );
    files.push(path.join(folder, name));
  }
  const facts = {
    12: await traceFacts(engine, 'n BETWEEN 11 AND 13', 60),
    1000: await traceFacts(engine, 'n = 1000', 25),
    10000: await traceFacts(engine, 'n = 10000', 9),
    fresh: await traceFacts(engine, `n BETWEEN 11 AND 13 AND block > ${blocks - 5}`, 60),
  };
  return { rows, traces: found, files, facts };
}

async function traceFacts(
  engine: Engine,
  condition: string,
  limit: number,
): Promise<readonly TraceFact[]> {
  const found = await engine.rows(`
    SELECT sipHash64(t, 'lo'), if(t % 10 = 0, 0, sipHash64(t, 'hi')), count(), min(ts),
      max(ts + duration)
    FROM keys WHERE t IN (
      SELECT t FROM keys WHERE i = 0 AND ${condition} ORDER BY cityHash64(t) LIMIT ${limit})
    GROUP BY t ORDER BY cityHash64(t, 21)`);
  return found.map(([lo = '', hi = '', spans = '', startNanos = '', endNanos = '']) => {
    return { lo, hi, spans: Number(spans), startNanos, endNanos };
  });
}

/** The same block's rows for `search`, in its order. */
export function searchFile(file: string): string {
  return file.replace(/block_(\d+)\.native$/, 'search_$1.native');
}

/** Replaces {{name}} by its value; an unknown name is our mistake. */
export function fillIn(sql: string, values: Readonly<Record<string, string>>): string {
  return sql.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`Unknown placeholder {{${name}}} in SQL.`);
    return value;
  });
}
