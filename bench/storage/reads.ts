// The questions that the query service asks, as SQL, with arguments that differ on every run.

import type { Corpus, TraceFact } from './corpus.ts';
import { type Engine, measure } from './engine.ts';
import { bucketOf, type Variant } from './variants.ts';

/** How rows that were stored twice are shown once. */
export type Identity = 'plain' | 'final' | 'limit-by';

export interface Timing {
  readonly query: string;
  readonly medianMs: number;
  readonly medianCpuMs: number;
  /** Rows or traces of the last answer, to see that the question had one. */
  readonly answers: number;
}

export interface Target {
  readonly engine: Engine;
  readonly db: string;
  readonly variant: Variant;
}

const MINUTE = 60n * 1_000_000_000n;
const HOUR = 60n * MINUTE;
/** 2026-11-20 00:00:00 UTC, where the corpus ends (corpus_keys.sql). */
const END = 1_795_132_800n * 1_000_000_000n;
export const SETTINGS =
  'SETTINGS max_threads = 2, use_query_condition_cache = 0, use_uncompressed_cache = 0';
const IDENTITY = 'tenant, trace_lo, trace_hi, span_id, kind, h';
const SKELETON =
  'trace_lo, trace_hi, span_id, parent_id, service, name, kind, status, ts, duration, h';

/** Times one question over its runs; `ask` returns how many answers it got. */
export async function time(
  query: string,
  runs: number,
  ask: (run: number) => Promise<number>,
): Promise<Timing> {
  const walls: number[] = [];
  const cpus: number[] = [];
  let answers = 0;
  for (let run = 0; run < runs; run++) {
    const cost = await measure(async () => {
      answers = await ask(run);
    });
    walls.push(cost.wallMs);
    cpus.push(cost.cpuMs);
  }
  return { query, medianMs: middle(walls), medianCpuMs: middle(cpus), answers };
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

export function spansClause(db: string, identity: Identity): string {
  return `${db}.spans${identity === 'final' ? ' FINAL' : ''}`;
}

function dedupe(identity: Identity): string {
  return identity === 'limit-by' ? ` LIMIT 1 BY ${IDENTITY}` : '';
}

/** All columns of one trace between two times (nanoseconds). */
export function traceSql(
  { db, variant }: Target,
  fact: TraceFact,
  identity: Identity,
  startNanos: string,
  endNanos: string,
): string {
  return `SELECT * FROM ${spansClause(db, identity)} WHERE tenant = 'default'
     AND ${bucketClause(variant, startNanos, endNanos)}
     AND ts BETWEEN ${time64(startNanos)} AND ${time64(endNanos)}
     AND trace_lo = ${fact.lo} AND trace_hi = ${fact.hi}${dedupe(identity)}`;
}

/** Its time bounds where only the id is known, from all inserts. */
export async function traceBounds(target: Target, fact: TraceFact): Promise<[string, string]> {
  const [bounds] = await target.engine.rows(
    `SELECT toUnixTimestamp64Nano(min(start_time)), toUnixTimestamp64Nano(max(end_time))
     FROM ${target.db}.trace_summaries
     WHERE tenant = 'default' AND trace_lo = ${fact.lo} AND trace_hi = ${fact.hi} ${SETTINGS}`,
  );
  return [bounds?.[0] ?? '0', bounds?.[1] ?? '0'];
}

/** The structural columns of the last hour's traces that touch three services, 20,000 at most. */
export function skeletonSql(
  { db, variant }: Target,
  names: readonly string[],
  run: number,
  identity: Identity,
): string {
  const chosen = names.slice(run % 5, (run % 5) + 3).map((service) => `'${service}'`);
  const end = endOfRun(run);
  const window = spansWindow(variant, end - HOUR, end);
  return (
    `SELECT ${SKELETON} FROM ${spansClause(db, identity)} WHERE tenant = 'default' AND ${window}
     AND trace_lo IN (SELECT DISTINCT trace_lo FROM ${db}.search WHERE tenant = 'default'
       AND service IN (${chosen.join(', ')}) AND ${between(end - HOUR, end)} LIMIT 20000)` +
    dedupe(identity)
  );
}

/**
 * Minutes before the window's end: one first, as a busy system has its answer there; then
 * eightfold.
 */
const SLICES = [
  [0n, 1n],
  [1n, 9n],
  [9n, 73n],
  [73n, 1440n],
] as const;

/** Walks a day from its newest slice back until 20 distinct traces are found. */
export async function newest(
  engine: Engine,
  end: bigint,
  sql: (from: bigint, to: bigint) => string,
): Promise<number> {
  const found = new Set<string>();
  for (const [newer, older] of SLICES) {
    const statement = sql(end - older * MINUTE, end - newer * MINUTE);
    for (const [lo = ''] of await engine.rows(`${statement} ${SETTINGS}`)) found.add(lo);
    if (found.size >= 20) break;
  }
  return found.size;
}

export const NEWEST_20 = 'GROUP BY trace_lo ORDER BY max(ts) DESC, trace_lo LIMIT 20';

export function endOfRun(run: number): bigint {
  return END - BigInt(run) * 1_000_000_000n;
}

/**
 * Key analysis maps no `ts` range to the bucket in the key: the bucket's own range has to be said.
 */
export function spansWindow(variant: Variant, from: bigint, to: bigint): string {
  return `${bucketClause(variant, String(from), String(to))} AND ${between(from, to)}`;
}

function bucketClause(variant: Variant, startNanos: string, endNanos: string): string {
  const bucket = bucketOf(variant);
  const at = (nanos: string): string => bucket.replace('ts', time64(nanos));
  return `${bucket} BETWEEN ${at(startNanos)} AND ${at(endNanos)}`;
}

export function between(from: bigint, to: bigint): string {
  return `ts >= ${time64(String(from))} AND ts < ${time64(String(to))}`;
}

export function time64(nanos: string): string {
  return `fromUnixTimestamp64Nano(${nanos}, 'UTC')`;
}

/** The expression of an index of `spans`, from the table so that it is the same to the letter. */
export async function indexExpression({ engine, db }: Target, name: string): Promise<string> {
  const [found] = await engine.rows(
    `SELECT expr FROM system.data_skipping_indices
     WHERE database = '${db}' AND table = 'spans' AND name = '${name}' FORMAT TSVRaw`,
  );
  return found?.[0] ?? '';
}

export async function services({ engine, db }: Target): Promise<readonly string[]> {
  const rows = await engine.rows(
    `SELECT service FROM ${db}.search GROUP BY service ORDER BY count() DESC`,
  );
  return rows.map(([service = '']) => service);
}

export function facts(
  corpus: Corpus,
  size: '12' | '1000' | '10000' | 'fresh',
  run: number,
): TraceFact {
  const list = corpus.facts[size];
  const fact = list[run % list.length];
  if (fact === undefined) throw new Error(`The corpus has no trace of size ${size}.`);
  return fact;
}
