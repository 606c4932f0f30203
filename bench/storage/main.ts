// The ClickHouse layout: bytes and CPU of each variant, and how quickly the chosen one answers.
//
//   npm run bench -- storage [--rows 5000000] [--price-rows 500000] [--only name,name]
//                            [--part reads|price] [--cold]
//
// Prices every variant on the small corpus, and asks the read table of `schema` and `replacing` (or
// of those that --only names) on the large one: with the last 20 blocks unmerged, then merged;
// --cold empties the system's page cache (as root) and reads a trace of each size once more.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BLOCK_ROWS_MAX } from '../../model/limits.ts';
import { type Figure, writeReport } from '../report.ts';
import { type Corpus, openCorpus } from './corpus.ts';
import { Engine } from './engine.ts';
import { fillFresh, type Priced, price } from './fill.ts';
import { dropCaches, readTable, traceQuestions, verify } from './questions.ts';
import { type Identity, type Target, type Timing, time } from './reads.ts';
import { VARIANTS, type Variant } from './variants.ts';

/** Blocks that stay unmerged for the first reads: more than the peak of the corpus has. */
const FRESH_BLOCKS = 20;

export async function run(args: string[]): Promise<void> {
  const options = {
    rows: { type: 'string', default: '5000000' },
    'price-rows': { type: 'string', default: '500000' },
    only: { type: 'string', default: '' },
    part: { type: 'string', default: 'both' },
    cold: { type: 'boolean', default: false },
  } as const;
  const { values } = parseArgs({ args, options });
  const only = values.only.split(',').filter((name) => name !== '');
  const chosen = VARIANTS.filter(({ name }) => only.length === 0 || only.includes(name));
  // Made first: the engine takes one folder at a time in a process.
  const large = values.part === 'price' ? undefined : await openCorpus(count(values.rows));
  const small = values.part === 'reads' ? undefined : await openCorpus(count(values['price-rows']));
  const parent = path.join(os.tmpdir(), 'spanhouse-bench-storage');
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(path.join(parent, 'engine-'));
  const engine = new Engine(folder);
  try {
    if (large !== undefined) {
      const reading = only.length === 0 ? ['schema', 'replacing'] : only;
      const variants = VARIANTS.filter(({ name }) => reading.includes(name));
      const { table, costs } = await readAll(engine, large, variants, values.cold);
      const parameters = { rows: large.rows, traces: large.traces, freshBlocks: FRESH_BLOCKS };
      await writeReport({ name: 'storage-fill', parameters, figures: costs, ratios: {} });
      await writeReport({ name: 'storage-reads', parameters, figures: table, ratios: {} });
    }
    if (small !== undefined) {
      const figures = (await price(engine, small, chosen)).map(priceFigure);
      const parameters = { rows: small.rows, blockRows: BLOCK_ROWS_MAX };
      await writeReport({ name: 'storage', parameters, figures, ratios: {} });
    }
  } finally {
    engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function count(text: string): number {
  const rows = Number(text);
  if (Number.isInteger(rows) && rows >= 200_000) return rows;
  throw new Error(`--rows and --price-rows take a whole number from 200000, not "${text}".`);
}

interface Reads {
  /** Cost of filling each variant, with the merges that ClickHouse chose. */
  readonly costs: readonly Figure[];
  /** A line a question, a column a variant, identity and state: median ms of wall time (of CPU). */
  readonly table: readonly Figure[];
}

async function readAll(
  engine: Engine,
  corpus: Corpus,
  variants: readonly Variant[],
  cold: boolean,
): Promise<Reads> {
  const costs: Figure[] = [];
  const lines = new Map<string, Record<string, string>>();
  const note = (column: string, timings: readonly Timing[]): void => {
    for (const { query, medianMs, medianCpuMs } of timings) {
      const line = lines.get(query) ?? { question: query };
      line[column] = `${medianMs.toFixed(1)} (${medianCpuMs.toFixed(0)})`;
      lines.set(query, line);
    }
  };
  for (const variant of variants) {
    const { db, merge } = await fillFresh(engine, corpus, variant, FRESH_BLOCKS);
    const target: Target = { engine, db, variant };
    const identities = identitiesOf(variant);
    for (const identity of identities) {
      await verify(target, corpus, identity);
      note(`${variant.name} ${identity}, fresh`, await readTable(target, corpus, identity, true));
    }
    const { insertUs, allUs, mergedPerSpan, bytes } = await merge();
    costs.push({
      variant: `${variant.name}, ${corpus.rows} rows`,
      ...bytes,
      insertUs,
      allUs,
      mergedPerSpan,
    });
    for (const identity of identities) {
      await verify(target, corpus, identity);
      note(`${variant.name} ${identity}, merged`, await readTable(target, corpus, identity, false));
    }
    if (cold)
      note(`${variant.name}, cold`, await readCold(target, corpus, identities.at(-1) ?? 'plain'));
    await engine.run(`DROP DATABASE ${db} SYNC`);
  }
  return { costs, table: [...lines.values()] };
}

function identitiesOf(variant: Variant): readonly Identity[] {
  return variant.name === 'replacing' ? ['final'] : ['plain', 'limit-by'];
}

/** Each size of trace once, after the system has forgotten every page. */
async function readCold(
  target: Target,
  corpus: Corpus,
  identity: Identity,
): Promise<readonly Timing[]> {
  const timings: Timing[] = [];
  for (const { name, ask } of traceQuestions(target, corpus, identity, false)) {
    if (!(await dropCaches(target))) break;
    timings.push(await time(name, 1, () => ask(40)));
  }
  return timings;
}

function priceFigure({ variant, insertUs, mergeUs, bytes }: Priced): Figure {
  return {
    variant: variant.name,
    spans: bytes['spans'] ?? 0,
    search: bytes['search'] ?? 0,
    trace_summaries: bytes['trace_summaries'] ?? 0,
    all: bytes['all'] ?? 0,
    insertUs,
    mergeUs,
  };
}

if (import.meta.main) await run(process.argv.slice(2));
