// Finds traces: the first n distinct ones that have one span which meets all that is asked.
//
// "Newest" is exact over the whole window. The window is walked in slices from its new end
// (slices.ts) until n traces are found: a trace that is met in a slice has its newest matching span there, as it was not met in a newer one. Duplicates of a span
// change neither a minimum nor a maximum, so no deduplication is needed here.

import {
  type Condition,
  type Filter,
  isNarrow,
  nthCandidateStatement,
  type Order,
  pairsStatement,
  placesStatement,
  searchStatement,
  sharedLowsStatement,
  spansStatement,
} from '../storage/clickhouse/find_statements.ts';
import type { Select } from '../storage/clickhouse/select.ts';
import { type TraceKey, traceIdText } from '../storage/clickhouse/statement.ts';
import type { Tag, TagPlaces } from '../storage/clickhouse/tag_condition.ts';
import { IDS_PER_STATEMENT_MAX } from '../storage/clickhouse/trace_statements.ts';
import { NARROW_SLICE_NANOS, type Slice, Slices, WIDE_SLICE_NANOS } from './slices.ts';
import { conditionOf } from './tags.ts';

/** Times and durations in nanoseconds, both bounds inclusive. */
export interface FindQuery {
  readonly tenant: string;
  readonly startUnixNanos: bigint;
  readonly endUnixNanos: bigint;
  readonly service?: string;
  readonly operation?: string;
  readonly durationNanosMin?: bigint;
  readonly durationNanosMax?: bigint;
  readonly tags: readonly Tag[];
  readonly order: Order;
  /** How many traces at most. */
  readonly limit: number;
}

/** Where a trace stands in its order; the last one of an answer says where the next would begin. */
export interface Cursor {
  /** Start of the newest (oldest) matching span in Unix nanoseconds; slowest: nanoseconds. */
  readonly value: bigint;
  /** 32 hex digits. Equal values stand in the order of the id's low half, then its high half. */
  readonly traceId: string;
}

/** So many candidates for each trace that is asked for make up the first slice of an operation. */
const CANDIDATES_PER_TRACE = 5;

/** Throws SelectError. */
export async function findTraces(
  select: Select,
  query: FindQuery,
  signal?: AbortSignal,
): Promise<Cursor[]> {
  if (query.startUnixNanos > query.endUnixNanos || query.limit < 1) return [];
  // Where tags stand does not change what the narrow table can check: both are asked at once.
  const likely = filterOf(
    query,
    query.tags.map((tag) => conditionOf(tag, () => NOWHERE)),
  );
  const [conditions, first] = await Promise.all([
    conditionsOf(select, query, signal),
    firstSlice(select, likely, query, signal),
  ]);
  const filter = filterOf(query, conditions);
  const alternatives = alternativesOf(filter.conditions);
  const found = new Map<string, Found>();
  const slices = new Slices(query, first);
  for (let slice = slices.next(); slice !== undefined; slice = slices.next()) {
    const before = found.size;
    const part = { ...filter, ...slice };
    const lists = await Promise.all(
      alternatives.map((some) => rank(select, { ...part, conditions: some }, query, signal)),
    );
    for (const trace of merge(lists, query.order)) {
      if (found.size >= query.limit) break;
      const traceId = traceIdText(trace.key);
      if (!found.has(traceId)) found.set(traceId, trace);
    }
    if (found.size >= query.limit) break;
    slices.grow(found.size - before, query.limit - found.size);
  }
  return [...found].map(([traceId, { value }]) => ({ value, traceId }));
}

interface Found {
  readonly key: TraceKey;
  readonly value: bigint;
}

/**
 * `error=true` is a status (narrow table) or an attribute (wide table, by its index). Asked as one
 * condition it would read the attributes of every span of the window; asked as two searches, the
 * first n of both are the first n. So where one such choice is all that needs the wide table, each
 * of its sides is a search of its own.
 */
function alternativesOf(conditions: readonly Condition[]): (readonly Condition[])[] {
  const wide = conditions.filter((condition) => !isNarrow([condition]));
  const [choice] = wide;
  if (wide.length !== 1 || choice?.type !== 'any') return [conditions];
  const others = conditions.filter((condition) => condition !== choice);
  return choice.conditions.map((side) => [...others, side]);
}

/** The first n of one search, in order. */
async function rank(
  select: Select,
  filter: Filter,
  query: FindQuery,
  signal: AbortSignal | undefined,
): Promise<Found[]> {
  if (usesSearch(filter)) return await fromSearch(select, filter, query, signal);
  return await fromSpans(select, spansStatement(filter, query.order, query.limit), signal);
}

/** Without a service the narrow table, whose key begins with it, would be read as a whole. */
function usesSearch({ service, conditions }: Omit<Filter, keyof Slice>): boolean {
  return service !== undefined && isNarrow(conditions);
}

/**
 * The length of the first slice in nanoseconds. Reading attributes is dear, so it holds as many
 * candidates as are likely to do; which is asked where the narrow table answers at once.
 */
async function firstSlice(
  select: Select,
  filter: Omit<Filter, keyof Slice>,
  query: FindQuery,
  signal: AbortSignal | undefined,
): Promise<bigint> {
  const { startUnixNanos: fromUnixNanos, endUnixNanos: toUnixNanos, order } = query;
  if (usesSearch(filter)) return NARROW_SLICE_NANOS;
  const { service, operation } = filter;
  if (service === undefined || operation === undefined || order === 'slowest') {
    return WIDE_SLICE_NANOS;
  }
  const window = { ...filter, service, operation, fromUnixNanos, toUnixNanos };
  const nth = query.limit * CANDIDATES_PER_TRACE;
  for (const block of await select(nthCandidateStatement(window, order, nth), signal)) {
    const value = block.bigs('value')[0]!;
    return (order === 'oldest' ? value - fromUnixNanos : toUnixNanos - value) + 1n;
  }
  return toUnixNanos - fromUnixNanos + 1n;
}

/** In order; a trace that is in several lists stands where it comes first, and is met first there. */
function merge(lists: readonly Found[][], order: Order): Found[] {
  const [only] = lists;
  if (lists.length === 1 && only !== undefined) return only;
  return lists.flat().sort((a, b) => compare(a, b, order));
}

function filterOf(query: FindQuery, conditions: readonly Condition[]): Omit<Filter, keyof Slice> {
  const { tenant, service, operation, durationNanosMin, durationNanosMax } = query;
  return {
    tenant,
    ...(service === undefined ? {} : { service }),
    ...(operation === undefined ? {} : { operation }),
    ...(durationNanosMin === undefined ? {} : { durationNanosMin }),
    ...(durationNanosMax === undefined ? {} : { durationNanosMax }),
    conditions,
  };
}

/**
 * A condition on the resource cannot use the index of `spans`, so it is asked only of tags that
 * some resource (scope) of the window has at all: a look into two small tables.
 */
async function conditionsOf(
  select: Select,
  query: FindQuery,
  signal: AbortSignal | undefined,
): Promise<Condition[]> {
  const asked: Tag[] = [];
  for (const tag of query.tags) conditionOf(tag, (one) => places(asked, one));
  if (asked.length === 0) return query.tags.map((tag) => conditionOf(tag, () => NOWHERE));
  const { startUnixNanos: fromUnixNanos, endUnixNanos: toUnixNanos, tenant } = query;
  const window = { tenant, fromUnixNanos, toUnixNanos };
  const there = asked.map(() => ({ resource: false, scope: false }));
  for (const block of await select(placesStatement(window, asked), signal)) {
    const scopes = block.numbers('scope');
    for (const [n, at] of there.entries()) {
      const found = block.numbers(`t${n}`);
      for (let i = 0; i < block.rows; i++) {
        if (found[i] === 1) at[scopes[i] === 1 ? 'scope' : 'resource'] = true;
      }
    }
  }
  return query.tags.map((tag) =>
    conditionOf(tag, (one) => {
      const n = asked.findIndex((other) => other.key === one.key && other.text === one.text);
      return there[n] ?? NOWHERE;
    }),
  );
}

const NOWHERE: TagPlaces = { resource: false, scope: false };

function places(asked: Tag[], tag: Tag): TagPlaces {
  asked.push(tag);
  return NOWHERE;
}

/** The narrow table knows low halves only; nearly always one trace has it, and then that is all. */
async function fromSearch(
  select: Select,
  filter: Filter,
  query: FindQuery,
  signal: AbortSignal | undefined,
): Promise<Found[]> {
  const values = new Map<bigint, bigint>();
  for (const block of await select(searchStatement(filter, query.order, query.limit), signal)) {
    const lows = block.bigs('trace_lo');
    const of = block.bigs('value');
    for (let i = 0; i < block.rows; i++) values.set(lows[i]!, of[i]!);
  }
  const highs = await highsOf(select, filter, [...values.keys()], signal);
  const found: Found[] = [];
  const shared: bigint[] = [];
  for (const [low, value] of values) {
    const [high, ...more] = highs.get(low) ?? [];
    if (more.length > 0) shared.push(low);
    else if (high !== undefined) found.push({ key: { high, low }, value });
  }
  if (shared.length === 0) return found;
  for (let at = 0; at < shared.length; at += IDS_PER_STATEMENT_MAX) {
    const lows = shared.slice(at, at + IDS_PER_STATEMENT_MAX);
    const statement = sharedLowsStatement(filter, query.order, lows, query.limit);
    found.push(...(await fromSpans(select, statement, signal)));
  }
  return found.sort((a, b) => compare(a, b, query.order));
}

async function highsOf(
  select: Select,
  filter: Filter,
  lows: readonly bigint[],
  signal: AbortSignal | undefined,
): Promise<Map<bigint, bigint[]>> {
  const highs = new Map<bigint, bigint[]>();
  for (let at = 0; at < lows.length; at += IDS_PER_STATEMENT_MAX) {
    const statement = pairsStatement(filter, lows.slice(at, at + IDS_PER_STATEMENT_MAX));
    for (const block of await select(statement, signal)) {
      const low = block.bigs('trace_lo');
      const high = block.bigs('trace_hi');
      for (let i = 0; i < block.rows; i++) {
        const known = highs.get(low[i]!);
        if (known === undefined) highs.set(low[i]!, [high[i]!]);
        else known.push(high[i]!);
      }
    }
  }
  return highs;
}

async function fromSpans(
  select: Select,
  statement: Parameters<Select>[0],
  signal: AbortSignal | undefined,
): Promise<Found[]> {
  const found: Found[] = [];
  for (const block of await select(statement, signal)) {
    const low = block.bigs('trace_lo');
    const high = block.bigs('trace_hi');
    const value = block.bigs('value');
    for (let i = 0; i < block.rows; i++) {
      found.push({ key: { high: high[i]!, low: low[i]! }, value: value[i]! });
    }
  }
  return found;
}

function compare(a: Found, b: Found, order: Order): number {
  if (a.value !== b.value) return a.value < b.value === (order === 'oldest') ? -1 : 1;
  if (a.key.low !== b.key.low) return a.key.low < b.key.low ? -1 : 1;
  return a.key.high < b.key.high ? -1 : a.key.high > b.key.high ? 1 : 0;
}
