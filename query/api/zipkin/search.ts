// Zipkin's search: each thing that is asked for has to be met by *some* span of the service, not all
// by one span (zipkin.md §2). The rarest of them leads: it finds candidates, newest first, and of
// each page of candidates those stay that meet the others, too, and that began in the window. Rarest
// is the one whose first page reaches furthest back.

import { compareText } from '../../../model/compare_text.ts';
import { amongStatement } from '../../../storage/clickhouse/find_statements.ts';
import type { Select } from '../../../storage/clickhouse/select.ts';
import { type TraceKey, traceIdText } from '../../../storage/clickhouse/statement.ts';
import type { Tag } from '../../../storage/clickhouse/tag_condition.ts';
import {
  sameLowStatement,
  startsStatement,
} from '../../../storage/clickhouse/zipkin_statements.ts';
import type { Cursor } from '../../cursor.ts';
import { type FindQuery, findTraces } from '../../find.ts';
import { traceKeyOf } from '../../get.ts';
import { conditionsOf } from '../../tag_places.ts';
import { remoteSpellings, type Spelling, spellingsOf } from './names.ts';
import type { ZipkinQuery } from './params.ts';

export interface Search {
  readonly select: Select;
  readonly tenant: string;
  /** false: ids that end in the same 64 bits are one trace. */
  readonly strict: boolean;
  readonly signal: AbortSignal;
  /** So many traces are tried. */
  readonly candidatesMax: number;
}

export interface FoundGroups {
  /** Newest first; the ids of one trace, more than one only where `strict` is false. */
  readonly groups: readonly (readonly TraceKey[])[];
  /** False where `candidatesMax` were looked at and there may be more. */
  readonly complete: boolean;
}

/** A statement takes so many ids (trace_statements.ts). */
const PAGE_MAX = 200;
const PAGE_MIN = 20;
const PAGE_GROWTH = 4;
const FAR_NANOS = 2n ** 63n - 1n;

/** Throws SelectError. */
export async function searchTraces(search: Search, asked: ZipkinQuery): Promise<FoundGroups> {
  const criteria = await criteriaOf(search, asked);
  const kept: Candidate[] = [];
  const seen = new Set<string>();
  let limit = Math.min(Math.max(asked.limit * 2, PAGE_MIN), PAGE_MAX);
  const { lead, page: first } = await findLead(search, criteria, limit);
  let page = first;
  let complete = true;
  for (;;) {
    let candidates = await candidatesOf(search, page, seen);
    candidates = candidates.filter(
      ({ start }) => start >= asked.startUnixNanos && start <= asked.endUnixNanos,
    );
    for (const criterion of criteria) {
      if (criterion !== lead) candidates = await among(search, criterion, candidates);
    }
    kept.push(...candidates);
    if (kept.length >= asked.limit || page.length < limit) break;
    complete = seen.size < search.candidatesMax;
    if (!complete) break;
    limit = Math.min(limit * PAGE_GROWTH, PAGE_MAX);
    page = await findPage(search, lead, limit, page.at(-1));
  }
  kept.sort((a, b) => (a.start > b.start ? -1 : Number(a.start < b.start)));
  return { groups: kept.slice(0, asked.limit).map(({ keys }) => keys), complete };
}

/** Met by a span that meets one of these. */
type Criterion = readonly FindQuery[];

/** One whose candidates are all on its first page ends the choice: there are no more to try. */
async function findLead(
  search: Search,
  criteria: readonly Criterion[],
  limit: number,
): Promise<{ lead: Criterion; page: Cursor[] }> {
  let found: { lead: Criterion; page: Cursor[] } | undefined;
  for (const lead of criteria) {
    const page = await findPage(search, lead, limit, undefined);
    if (page.length < limit || criteria.length === 1) return { lead, page };
    const isRarer = found === undefined || page.at(-1)!.value < found.page.at(-1)!.value;
    if (isRarer) found = { lead, page };
  }
  return found!;
}

/** Those first that few spans are likely to meet. */
async function criteriaOf(search: Search, asked: ZipkinQuery): Promise<Criterion[]> {
  const { select, tenant, signal } = search;
  const { service, spanName, remoteService, annotations } = asked;
  const [services, names, remotes] = await Promise.all([
    spellingsOf(select, tenant, service === undefined ? {} : { service }, signal),
    spanName === undefined
      ? undefined
      : spellingsOf(
          select,
          tenant,
          service === undefined ? { spanName } : { service, spanName },
          signal,
        ),
    remoteService === undefined
      ? undefined
      : remoteSpellings(select, tenant, remoteService, signal),
  ]);
  const query = (spelling: Spelling, tag?: Tag): FindQuery => ({
    tenant,
    startUnixNanos: asked.startUnixNanos,
    endUnixNanos: asked.endUnixNanos,
    order: 'newest',
    limit: PAGE_MAX,
    tags: tag === undefined ? [] : [tag],
    ...spelling,
  });
  const tagged = (tag: Tag): Criterion => services.map((one) => query(one, tag));
  const criteria: Criterion[] = [
    ...[...annotations.tags].map(([key, text]) => tagged({ key, text, match: 'tag' })),
    ...[...annotations.words].map((key) => tagged({ key, text: '', match: 'word' })),
  ];
  if (remotes !== undefined) {
    criteria.push(remotes.flatMap((text) => tagged({ key: '', text, match: 'remote' })));
  }
  if (names !== undefined) criteria.push(names.map((one) => query(one)));
  const { durationNanosMin, durationNanosMax } = asked;
  if (durationNanosMin !== undefined) {
    const max = durationNanosMax === undefined ? {} : { durationNanosMax };
    criteria.push(services.map((one) => ({ ...query(one), durationNanosMin, ...max })));
  }
  return criteria.length > 0 ? criteria : [services.map((one) => query(one))];
}

async function findPage(
  { select, signal }: Search,
  criterion: Criterion,
  limit: number,
  after: Cursor | undefined,
): Promise<Cursor[]> {
  const behind = after === undefined ? {} : { after };
  const lists = await Promise.all(
    criterion.map((query) => findTraces(select, { ...query, ...behind, limit }, signal)),
  );
  if (lists.length === 1) return lists[0] as Cursor[];
  const newest = new Map<string, Cursor>();
  for (const one of lists.flat()) {
    const known = newest.get(one.traceId);
    if (known === undefined || known.value < one.value) newest.set(one.traceId, one);
  }
  return [...newest.values()].sort(inOrder).slice(0, limit);
}

/** As findTraces has it: the order of a cursor. */
function inOrder(a: Cursor, b: Cursor): number {
  if (a.value !== b.value) return a.value > b.value ? -1 : 1;
  const low = compareText(a.traceId.slice(16), b.traceId.slice(16));
  return low !== 0 ? low : compareText(a.traceId, b.traceId);
}

interface Candidate {
  readonly keys: readonly TraceKey[];
  /** When the earliest span began, in Unix nanoseconds. */
  readonly start: bigint;
}

/** Those not seen before, each with all of its ids. */
async function candidatesOf(
  search: Search,
  page: readonly Cursor[],
  seen: Set<string>,
): Promise<Candidate[]> {
  const { select, tenant, strict, signal } = search;
  const keys = page.map(({ traceId }) => traceKeyOf(traceId) as TraceKey);
  const groups = (await groupsOf(search, keys)).filter(([first]) => {
    const name = strict ? traceIdText(first as TraceKey) : `${(first as TraceKey).low}`;
    return !seen.has(name) && seen.add(name);
  });
  const starts = new Map<string, bigint>();
  for (const some of inPages(groups.flat())) {
    for (const block of await select(startsStatement(tenant, some), signal)) {
      const [low, high] = [block.bigs('trace_lo'), block.bigs('trace_hi')];
      const start = block.bigs('start');
      for (let i = 0; i < block.rows; i++) {
        starts.set(traceIdText({ low: low[i]!, high: high[i]! }), start[i]!);
      }
    }
  }
  return groups.map((group) => ({
    keys: group,
    start: earliest(group.map((key) => starts.get(traceIdText(key)))),
  }));
}

function earliest(times: readonly (bigint | undefined)[]): bigint {
  let first = FAR_NANOS;
  for (const time of times) if (time !== undefined && time < first) first = time;
  return first;
}

/** Each trace once, in the order of the keys. Throws SelectError. */
export async function groupsOf(
  { select, tenant, strict, signal }: Search,
  keys: readonly TraceKey[],
): Promise<(readonly TraceKey[])[]> {
  if (strict) return keys.map((key) => [key]);
  const groups = new Map<bigint, TraceKey[]>(keys.map((key) => [key.low, []]));
  for (const some of inPages([...groups.keys()])) {
    for (const block of await select(sameLowStatement(tenant, some), signal)) {
      const [low, high] = [block.bigs('trace_lo'), block.bigs('trace_hi')];
      for (let i = 0; i < block.rows; i++) {
        groups.get(low[i]!)?.push({ low: low[i]!, high: high[i]! });
      }
    }
  }
  return [...groups.values()].filter((group) => group.length > 0);
}

/** Those of which some span meets the criterion, whenever it began. */
async function among(
  { select, signal }: Search,
  criterion: Criterion,
  candidates: readonly Candidate[],
): Promise<Candidate[]> {
  const there = new Set<string>();
  for (const query of candidates.length > 0 ? criterion : []) {
    const conditions = await conditionsOf(select, query, signal);
    const { tenant, service, operation, durationNanosMin, durationNanosMax } = query;
    const filter = {
      tenant,
      conditions,
      fromUnixNanos: 0n,
      toUnixNanos: FAR_NANOS,
      ...(service === undefined ? {} : { service }),
      ...(operation === undefined ? {} : { operation }),
      ...(durationNanosMin === undefined ? {} : { durationNanosMin }),
      ...(durationNanosMax === undefined ? {} : { durationNanosMax }),
    };
    for (const some of inPages(candidates.flatMap(({ keys }) => keys))) {
      for (const block of await select(amongStatement(filter, some), signal)) {
        const [low, high] = [block.bigs('trace_lo'), block.bigs('trace_hi')];
        for (let i = 0; i < block.rows; i++) {
          there.add(traceIdText({ low: low[i]!, high: high[i]! }));
        }
      }
    }
  }
  return candidates.filter(({ keys }) => keys.some((key) => there.has(traceIdText(key))));
}

function* inPages<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += PAGE_MAX) yield all.slice(at, at + PAGE_MAX);
}
