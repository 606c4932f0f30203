// What the benchmark asks: traces by id over HTTP, and searches both as the API answers them (whole
// traces) and as the query layer finds them (ids only).

import { type FindQuery, findTraces } from '../../query/find.ts';
import type { Select } from '../../storage/clickhouse/select.ts';
import type { Corpus, TraceFact } from '../storage/corpus.ts';

export interface Question {
  readonly name: string;
  readonly goalMs: number;
  readonly runs: number;
  /** Arguments differ by run. Returns what came, to see that the question had an answer. */
  readonly ask: (run: number) => Promise<number>;
}

/** One GET; returns the bytes of the body. Throws unless it is a 200. */
export type Get = (path: string) => Promise<number>;

export interface Operation {
  readonly service: string;
  readonly name: string;
}

const TRACE_MS = 15;
const LARGE_TRACE_MS = 30;
const SEARCH_MS = 30;
/** Our part of a trace of 10,000 spans alone; a goal in CPU, not in time. */
const HUGE_TRACE_MS = 150;

const SECOND = 1_000_000_000n;
const DAY = 86_400n * SECOND;
/** 2026-11-20 00:00:00 UTC, where the corpus ends (bench/storage/corpus_keys.sql). */
const END = 1_795_132_800n * SECOND;

export function traceQuestions(get: Get, corpus: Corpus): readonly Question[] {
  const { facts } = corpus;
  const trace = (list: readonly TraceFact[], run: number, timed: boolean): Promise<number> => {
    const { lo, hi, startNanos, endNanos } = list[run % list.length]!;
    const id = ((BigInt(hi) << 64n) | BigInt(lo)).toString(16);
    const window = `?start=${BigInt(startNanos) / 1000n}&end=${BigInt(endNanos) / 1000n + 1n}`;
    return get(`/api/traces/${id}${timed ? window : ''}`);
  };
  const question = (name: string, runs: number, goalMs: number, of: readonly TraceFact[]) =>
    [false, true].map((timed) => ({
      name: timed ? `${name}, with its time` : name,
      goalMs,
      runs,
      ask: (run: number) => trace(of, run, timed),
    }));
  return [
    ...question('trace of 12', 50, TRACE_MS, facts['12']),
    ...question('trace of 12, last inserted', 50, TRACE_MS, facts.fresh),
    ...question('trace of 1,000', 24, LARGE_TRACE_MS, facts['1000']),
    ...question('trace of 10,000', 8, HUGE_TRACE_MS, facts['10000']),
  ];
}

/** Over HTTP: the search, and then the whole of the traces that it finds. */
export function apiQuestions(get: Get, operations: readonly Operation[]): readonly Question[] {
  const { tiered } = byKind(operations);
  const search = (run: number, more: Readonly<Record<string, string>>): Promise<number> => {
    const { service } = tiered[run % tiered.length]!;
    const end = endOf(run);
    const window = { start: `${(end - DAY) / 1000n}`, end: `${end / 1000n}` };
    return get(`/api/traces?${new URLSearchParams({ service, limit: '20', ...window, ...more })}`);
  };
  const name = (run: number): string => tiered[run % tiered.length]!.name;
  const question = (what: string, ask: Question['ask']): Question => {
    return { name: `${what}, whole traces`, goalMs: Number.NaN, runs: 24, ask };
  };
  return [
    question('newest 20 by service', (run) => search(run, {})),
    question('+ operation', (run) => search(run, { operation: name(run) })),
    question('+ operation + tag + duration', (run) =>
      search(run, { operation: name(run), tag: 'customer.tier:silver', minDuration: '10ms' }),
    ),
  ];
}

/** The search alone: ids of traces, by as many statements as that takes. */
export function findQuestions(
  select: Select,
  operations: readonly Operation[],
): readonly Question[] {
  const { tiered, rareHere } = byKind(operations);
  const find = async (run: number, more: Partial<FindQuery>): Promise<number> => {
    const end = endOf(run);
    const window = { startUnixNanos: end - DAY, endUnixNanos: end };
    const base: FindQuery = { tenant: 'default', ...window, tags: [], order: 'newest', limit: 20 };
    return (await findTraces(select, { ...base, ...more })).length;
  };
  const of = (list: readonly Operation[], run: number): { service: string; operation: string } => {
    const { service, name } = list[run % list.length]!;
    return { service, operation: name };
  };
  const question = (name: string, ask: Question['ask']): Question => {
    return { name, goalMs: SEARCH_MS, runs: 24, ask };
  };
  const silver = [{ key: 'customer.tier', text: 'silver' }];
  const gold = [{ key: 'customer.tier', text: 'gold' }];
  const rare = (run: number) => [{ key: 'order.flag', text: `rare-${run % 40}` }];
  return [
    question('newest 20 by service', (run) => find(run, { service: of(tiered, run).service })),
    question('+ operation', (run) => find(run, of(tiered, run))),
    question('+ operation + tag + duration', (run) =>
      find(run, { ...of(tiered, run), tags: silver, durationNanosMin: 10_000_000n }),
    ),
    question('service + common tag', (run) =>
      find(run, { service: of(tiered, run).service, tags: silver }),
    ),
    question('service + error=true', (run) =>
      find(run, {
        service: of(tiered, run).service,
        tags: [{ key: 'error', text: 'true' }],
      }),
    ),
    question('rare tag, no service, 24 h', (run) => find(run, { tags: rare(run) })),
    question('rare tag, by service, 24 h', (run) =>
      find(run, { service: of(tiered, run).service, tags: rare(run) }),
    ),
    question('tag rare in its operation, 24 h', (run) =>
      find(run, { ...of(rareHere, run), tags: gold }),
    ),
    question('newest 20 of all', (run) => find(run, {})),
    question('slowest 20 by operation, 24 h', (run) =>
      find(run, { ...of(tiered, run), order: 'slowest' }),
    ),
  ];
}

/** Of the corpus: operations with a customer's tier, and those where gold is one in 20,000. */
function byKind(operations: readonly Operation[]) {
  return {
    tiered: operations.filter(({ name }) => /^(GET|POST|PUT|DELETE|shop)/.test(name)),
    rareHere: operations.filter(({ name }) => /^HTTP \w+ \d*3$/.test(name)),
  };
}

/** No two runs ask for the same window. */
function endOf(run: number): bigint {
  return END - BigInt(run) * SECOND;
}
