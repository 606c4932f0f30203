// Finds traces: the first n distinct ones that have one span which meets all that is asked.
//
// "Newest" is exact over the whole window. The window is walked in slices from its new end
// (slices.ts) until n traces are found: a trace that is met in a slice has its newest matching span
// there, as it was not met in a newer one. Duplicates of a span change neither a minimum nor a
// maximum, so no deduplication is needed here.

import {
  amongStatement,
  type Condition,
  countStatement,
  type Filter,
  isNarrow,
  nthCandidateStatement,
  type Order,
} from '../storage/clickhouse/find_statements.ts';
import type { Select } from '../storage/clickhouse/select.ts';
import { traceIdText } from '../storage/clickhouse/statement.ts';
import type { Tag } from '../storage/clickhouse/tag_condition.ts';
import { IDS_PER_STATEMENT_MAX } from '../storage/clickhouse/trace_statements.ts';
import { type Cursor, comparePlaces, type Found, isBehind, windowAfter } from './cursor.ts';
import { type Ranked, rank, usesSearch } from './rank.ts';
import { NARROW_SLICE_NANOS, type Slice, Slices, WIDE_SLICE_NANOS } from './slices.ts';
import { conditionsOf, NOWHERE } from './tag_places.ts';
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
  /** Only traces that stand behind this one: the next page. */
  readonly after?: Cursor;
}

/** So many candidates for each trace that is asked for make up the first slice of an operation. */
const CANDIDATES_PER_TRACE = 5;

/** Throws SelectError. */
export async function findTraces(
  select: Select,
  asked: FindQuery,
  signal?: AbortSignal,
): Promise<Cursor[]> {
  const query = windowAfter(asked);
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
  const search: Search = { select, asked, filter, signal, passed: new Set() };
  const found = new Map<string, Found>();
  const slices = new Slices(query, first);
  for (let slice = slices.next(); slice !== undefined; slice = slices.next()) {
    const before = found.size;
    await findInSlice(search, slice, found);
    if (found.size >= query.limit) break;
    slices.grow(found.size - before, query.limit - found.size);
  }
  return [...found].map(([traceId, { value }]) => ({ value, traceId }));
}

/** How many traces there are in all, whatever the limit and the cursor. Throws SelectError. */
export async function countTraces(
  select: Select,
  query: FindQuery,
  signal?: AbortSignal,
): Promise<number> {
  if (query.startUnixNanos > query.endUnixNanos) return 0;
  const { startUnixNanos: fromUnixNanos, endUnixNanos: toUnixNanos } = query;
  const conditions = await conditionsOf(select, query, signal);
  const filter = { ...filterOf(query, conditions), fromUnixNanos, toUnixNanos };
  const statement = countStatement(filter, isNarrow(conditions) ? 'search' : 'spans');
  for (const block of await select(statement, signal)) return Number(block.bigs('value')[0]!);
  return 0;
}

interface Search {
  readonly select: Select;
  readonly asked: FindQuery;
  readonly filter: Omit<Filter, keyof Slice>;
  readonly signal: AbortSignal | undefined;
  /** Traces that stand on an earlier page, as far as they were met again. */
  readonly passed: Set<string>;
}

/** What stood before the cursor can fill an answer: then so many more are asked for. */
const ASK_GROWTH = 4;

/** Adds the next traces to `found`, until the slice has no more or `limit` are there. */
async function findInSlice(search: Search, slice: Slice, found: Map<string, Found>): Promise<void> {
  const { select, asked, filter, signal, passed } = search;
  const alternatives = alternativesOf(filter.conditions);
  for (let limit = asked.limit; ; limit *= ASK_GROWTH) {
    const lists = await Promise.all(
      alternatives.map((conditions) =>
        rank(select, { ...filter, ...slice, conditions }, { ...asked, limit }, signal),
      ),
    );
    const candidates: Found[] = [];
    for (const trace of merge(lists, asked.order)) {
      if (isBehind(trace, asked)) candidates.push(trace);
      else passed.add(traceIdText(trace.key));
    }
    await addPassed(search, candidates);
    for (const trace of candidates) {
      if (found.size >= asked.limit) return;
      const traceId = traceIdText(trace.key);
      if (!found.has(traceId) && !passed.has(traceId)) found.set(traceId, trace);
    }
    if (found.size >= asked.limit || lists.every((list) => !list.isCut)) return;
  }
}

/** Finds those that stand on an earlier page, by a span on the other side of the cursor. */
async function addPassed(
  { select, asked, filter, signal, passed }: Search,
  candidates: readonly Found[],
): Promise<void> {
  const { after, order, startUnixNanos, endUnixNanos } = asked;
  if (after === undefined || order === 'slowest') return;
  const window =
    order === 'oldest'
      ? { fromUnixNanos: startUnixNanos, toUnixNanos: after.value - 1n }
      : { fromUnixNanos: after.value + 1n, toUnixNanos: endUnixNanos };
  // A cursor may say any time, and what stands at its end of the window has no other side.
  if (window.fromUnixNanos > window.toUnixNanos) return;
  for (let at = 0; at < candidates.length; at += IDS_PER_STATEMENT_MAX) {
    const keys = candidates.slice(at, at + IDS_PER_STATEMENT_MAX).map((one) => one.key);
    for (const block of await select(amongStatement({ ...filter, ...window }, keys), signal)) {
      const low = block.bigs('trace_lo');
      const high = block.bigs('trace_hi');
      for (let i = 0; i < block.rows; i++) {
        passed.add(traceIdText({ high: high[i]!, low: low[i]! }));
      }
    }
  }
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
function merge(lists: readonly Ranked[], order: Order): readonly Found[] {
  const [only] = lists;
  if (lists.length === 1 && only !== undefined) return only.found;
  return lists.flatMap((list) => list.found).sort((a, b) => comparePlaces(a, b, order));
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
