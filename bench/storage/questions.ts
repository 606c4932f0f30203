// The read table: every question of docs/adr/0005-storage-layout.md, timed on one variant.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Corpus } from './corpus.ts';
import {
  between,
  endOfRun,
  facts,
  type Identity,
  kvExpression,
  NEWEST_20,
  newest,
  SETTINGS,
  services,
  skeletonSql,
  spansWindow,
  type Target,
  type Timing,
  time,
  traceBounds,
  traceSql,
} from './reads.ts';

const DAY = 24n * 3600n * 1_000_000_000n;

interface Question {
  readonly name: string;
  readonly runs: number;
  readonly ask: (run: number) => Promise<number>;
}

/** Asks everything once for each identity; `state` says which traces are fresh. */
export async function readTable(
  target: Target,
  corpus: Corpus,
  identity: Identity,
  fresh: boolean,
): Promise<readonly Timing[]> {
  const questions = [
    ...traceQuestions(target, corpus, identity, fresh),
    await skeletonQuestion(target, identity),
    ...(await searchQuestions(target)),
  ];
  const timings: Timing[] = [];
  for (const { name, runs, ask } of questions) {
    await ask(runs); // opens marks and indexes; its arguments do not come again
    timings.push(await time(name, runs, ask));
  }
  return timings;
}

export function traceQuestions(
  target: Target,
  corpus: Corpus,
  identity: Identity,
  fresh: boolean,
): readonly Question[] {
  const { engine } = target;
  const small = fresh ? 'fresh' : '12';
  const get = async (run: number, size: '12' | '1000' | '10000' | 'fresh'): Promise<number> => {
    const fact = facts(corpus, size, run);
    const sql = traceSql(target, fact, identity, fact.startNanos, fact.endNanos);
    return (await engine.native(`${sql} ${SETTINGS}`)).bytes().length;
  };
  const getByIdOnly = async (run: number, size: '12' | '1000' | 'fresh'): Promise<number> => {
    const fact = facts(corpus, size, run);
    const [start, end] = await traceBounds(target, fact);
    const sql = traceSql(target, fact, identity, start, end);
    return (await engine.native(`${sql} ${SETTINGS}`)).bytes().length;
  };
  return [
    { name: 'trace of 12', runs: 25, ask: (run) => get(run, small) },
    { name: 'trace of 12, no time', runs: 25, ask: (run) => getByIdOnly(run + 26, small) },
    { name: 'trace of 1,000', runs: 9, ask: (run) => get(run, '1000') },
    { name: 'trace of 1,000, no time', runs: 9, ask: (run) => getByIdOnly(run + 10, '1000') },
    { name: 'trace of 10,000', runs: 4, ask: (run) => get(run, '10000') },
  ];
}

/** Throws unless a trace comes back with all its spans: a quick wrong answer is worth nothing. */
export async function verify(target: Target, corpus: Corpus, identity: Identity): Promise<void> {
  for (const size of ['12', '1000', '10000', 'fresh'] as const) {
    const fact = facts(corpus, size, 0);
    const [start, end] = await traceBounds(target, fact);
    const sql = traceSql(target, fact, identity, start, end);
    const spans = await target.engine.number(`SELECT count() FROM (${sql})`);
    if (spans !== fact.spans) throw new Error(`Expected ${fact.spans} spans, got ${spans}.`);
  }
}

async function skeletonQuestion(target: Target, identity: Identity): Promise<Question> {
  const names = await services(target);
  const ask = async (run: number): Promise<number> => {
    const sql = skeletonSql(target, names, run, identity);
    return (await target.engine.native(`${sql} ${SETTINGS}`)).bytes().length;
  };
  return { name: 'skeletons of 20,000 traces', runs: 5, ask };
}

async function searchQuestions(target: Target): Promise<readonly Question[]> {
  const { engine, db, variant } = target;
  const kv = await kvExpression(target);
  const operations = await engine.rows(
    `SELECT service, name FROM ${db}.search GROUP BY service, name ORDER BY sipHash64(name)`,
  );
  const rareHere = operations.filter(([, name = '']) => /HTTP \w+ \d*3$/.test(name));
  const bySpans = (where: string) => (from: bigint, to: bigint) =>
    `SELECT trace_lo FROM ${db}.spans WHERE tenant = 'default'
     AND ${spansWindow(variant, from, to)} AND ${where} ${NEWEST_20}`;
  const bySearch = (where: string) => (from: bigint, to: bigint) =>
    `SELECT trace_lo FROM ${db}.search WHERE tenant = 'default' AND ${where}
     AND ${between(from, to)} ${NEWEST_20}`;
  const pick = (run: number, list = operations): [string, string] => {
    const [service = '', name = ''] = list[run % list.length] ?? [];
    return [`service = '${service}'`, `service = '${service}' AND name = '${name}'`];
  };
  const tag = (key: string, value: string): string => {
    const exact = `attr_s['${key}'] = '${value}'`;
    return kv === '' ? exact : `has(${kv}, cityHash64('${key}', '${value}')) AND ${exact}`;
  };
  return [
    {
      name: 'newest 20 by service',
      runs: 15,
      ask: (run) => newest(engine, endOfRun(run), bySearch(pick(run)[0])),
    },
    {
      name: '+ operation',
      runs: 15,
      ask: (run) => newest(engine, endOfRun(run), bySearch(pick(run)[1])),
    },
    {
      name: '+ operation + tag + duration',
      runs: 9,
      ask: (run) =>
        newest(
          engine,
          endOfRun(run),
          bySpans(`${pick(run)[1]} AND duration > 10000000 AND ${tag('customer.tier', 'silver')}`),
        ),
    },
    {
      name: 'rare tag, no service, 24 h',
      runs: 15,
      ask: (run) => newest(engine, endOfRun(run), bySpans(tag('order.flag', `rare-${run}`))),
    },
    {
      name: 'tag rare in its operation, 24 h',
      runs: 9,
      ask: (run) =>
        newest(
          engine,
          endOfRun(run),
          bySpans(`${pick(run, rareHere)[1]} AND ${tag('customer.tier', 'gold')}`),
        ),
    },
    {
      name: 'slowest 20 by operation, 24 h',
      runs: 9,
      ask: async (run) => {
        const end = endOfRun(run);
        const rows = await engine.rows(
          `SELECT trace_lo FROM ${db}.search WHERE tenant = 'default' AND ${pick(run)[1]}
           AND ${between(end - DAY, end)}
           GROUP BY trace_lo ORDER BY max(duration) DESC, trace_lo LIMIT 20 ${SETTINGS}`,
        );
        return rows.length;
      },
    },
  ];
}

/** Empties the system's page cache and the engine's own; false where we may not. */
export async function dropCaches({ engine }: Target): Promise<boolean> {
  try {
    execFileSync('sync');
    writeFileSync('/proc/sys/vm/drop_caches', '3');
  } catch {
    return false;
  }
  for (const cache of ['MARK CACHE', 'UNCOMPRESSED CACHE', 'PRIMARY INDEX CACHE']) {
    await engine.run(`SYSTEM DROP ${cache}`).catch(() => undefined);
  }
  return true;
}
