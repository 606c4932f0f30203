// The read table: every question of docs/adr/0005-storage-layout.md, timed on one variant.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Corpus } from './corpus.ts';
import {
  between,
  endOfRun,
  facts,
  type Identity,
  indexExpression,
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

/** Conditions on one operation, and a tag on it. */
class Asker {
  readonly #target: Target;
  readonly #kv: string;
  readonly #opKv: string;

  constructor(target: Target, kv: string, opKv: string) {
    this.#target = target;
    this.#kv = kv;
    this.#opKv = opKv;
  }

  search(run: number, where: string): Promise<number> {
    const { engine, db } = this.#target;
    return newest(
      engine,
      endOfRun(run),
      (from, to) =>
        `SELECT trace_lo FROM ${db}.search WHERE tenant = 'default' AND ${where}
         AND ${between(from, to)} ${NEWEST_20}`,
    );
  }

  spans(run: number, where: string): Promise<number> {
    const { engine, db, variant } = this.#target;
    return newest(
      engine,
      endOfRun(run),
      (from, to) =>
        `SELECT trace_lo FROM ${db}.spans WHERE tenant = 'default'
         AND ${spansWindow(variant, from, to)} AND ${where} ${NEWEST_20}`,
    );
  }

  /**
   * indexHint: the index prunes, but its long expression is not computed for the rows that are
   * left.
   */
  tag(key: string, value: string): string {
    const hint = `indexHint(has(${this.#kv}, cityHash64('${key}', '${value}')))`;
    return `${hint} AND attr_s['${key}'] = '${value}'`;
  }

  tagIn([service, name]: Operation, key: string, value: string): string {
    const hash = `cityHash64('${service}', '${name}', '${key}', '${value}')`;
    const here = operationIs([service, name]);
    return `${here} AND indexHint(has(${this.#opKv}, ${hash})) AND attr_s['${key}'] = '${value}'`;
  }
}

type Operation = readonly [service: string, name: string];

function operationIs([service, name]: Operation): string {
  return `service = '${service}' AND name = '${name}'`;
}

async function operationsOf({ engine, db }: Target, pattern: RegExp): Promise<Operation[]> {
  const rows = await engine.rows(
    `SELECT service, name FROM ${db}.search GROUP BY service, name ORDER BY sipHash64(name)`,
  );
  const all = rows.map(([service = '', name = '']): Operation => [service, name]);
  return all.filter(([, name]) => pattern.test(name));
}

async function searchQuestions(target: Target): Promise<readonly Question[]> {
  const { engine, db } = target;
  const kv = await indexExpression(target, 'kv');
  const asker = new Asker(target, kv, await indexExpression(target, 'op_kv'));
  const tiered = await operationsOf(target, /^(GET|POST|PUT|DELETE|shop)/);
  const rareHere = await operationsOf(target, /^HTTP \w+ \d*3$/);
  const of = (list: readonly Operation[], run: number): Operation =>
    list[run % list.length] ?? ['', ''];
  const slowest = async (run: number): Promise<number> => {
    const end = endOfRun(run);
    const rows = await engine.rows(
      `SELECT trace_lo FROM ${db}.search WHERE tenant = 'default'
       AND ${operationIs(of(tiered, run))} AND ${between(end - DAY, end)}
       GROUP BY trace_lo ORDER BY max(duration) DESC, trace_lo LIMIT 20 ${SETTINGS}`,
    );
    return rows.length;
  };
  const question = (name: string, runs: number, ask: Question['ask']): Question => {
    return { name, runs, ask };
  };
  return [
    question('newest 20 by service', 15, (run) =>
      asker.search(run, `service = '${of(tiered, run)[0]}'`),
    ),
    question('+ operation', 15, (run) => asker.search(run, operationIs(of(tiered, run)))),
    question('+ operation + tag + duration', 9, (run) => {
      const tagged = asker.tagIn(of(tiered, run), 'customer.tier', 'silver');
      return asker.spans(run, `duration > 10000000 AND ${tagged}`);
    }),
    question('rare tag, no service, 24 h', 15, (run) =>
      asker.spans(run, asker.tag('order.flag', `rare-${run}`)),
    ),
    question('tag rare in its operation, 24 h', 9, (run) =>
      asker.spans(run, asker.tagIn(of(rareHere, run), 'customer.tier', 'gold')),
    ),
    question('same, by kv alone', 3, (run) => {
      const gold = asker.tag('customer.tier', 'gold');
      return asker.spans(run, `${operationIs(of(rareHere, run))} AND ${gold}`);
    }),
    question('slowest 20 by operation, 24 h', 9, slowest),
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
