// The first n traces of one search in one slice of its window, in order: from the narrow table where
// that knows all that is asked for, else from the spans.

import {
  type Filter,
  isNarrow,
  LOWS_PER_STATEMENT_MAX,
  pairsStatement,
  searchStatement,
  sharedLowsStatement,
  spansStatement,
} from '../storage/clickhouse/find_statements.ts';
import type { Select } from '../storage/clickhouse/select.ts';
import { IDS_PER_STATEMENT_MAX } from '../storage/clickhouse/trace_statements.ts';
import { comparePlaces, type Found, valueMaxOf } from './cursor.ts';
import type { FindQuery } from './find.ts';
import type { Slice } from './slices.ts';

/** In order. */
export interface Ranked {
  readonly found: readonly Found[];
  /** Whether the slice may have more: not told by how many were found, as some may not be known yet. */
  readonly isCut: boolean;
}

/** `query.limit` of them, behind its cursor or not. Throws SelectError. */
export async function rank(
  select: Select,
  filter: Filter,
  query: FindQuery,
  signal: AbortSignal | undefined,
): Promise<Ranked> {
  // Cut by its value, a low half would hide the shorter one of two traces that share it.
  const valueMax = valueMaxOf(query);
  if (usesSearch(filter) && valueMax === undefined) {
    return await fromSearch(select, filter, query, signal);
  }
  const statement = spansStatement(filter, query.order, query.limit, valueMax);
  const found = await fromSpans(select, statement, signal);
  return { found, isCut: found.length === query.limit };
}

/** Without a service the narrow table, whose key begins with it, would be read as a whole. */
export function usesSearch({ service, conditions }: Omit<Filter, keyof Slice>): boolean {
  return service !== undefined && isNarrow(conditions);
}

/** The narrow table knows low halves only; nearly always one trace has it, and then that is all. */
async function fromSearch(
  select: Select,
  filter: Filter,
  query: FindQuery,
  signal: AbortSignal | undefined,
): Promise<Ranked> {
  const values = new Map<bigint, bigint>();
  const statement = searchStatement(filter, query.order, query.limit);
  for (const block of await select(statement, signal)) {
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
  const isCut = values.size === query.limit;
  if (shared.length === 0) return { found, isCut };
  for (let at = 0; at < shared.length; at += IDS_PER_STATEMENT_MAX) {
    const lows = shared.slice(at, at + IDS_PER_STATEMENT_MAX);
    const statement = sharedLowsStatement(filter, query.order, lows, query.limit);
    found.push(...(await fromSpans(select, statement, signal)));
  }
  found.sort((a, b) => comparePlaces(a, b, query.order));
  if (!isCut) return { found, isCut };
  // The answer was cut behind its last low half, so what stands behind that is not known in full.
  const [low, value] = [...values].at(-1)!;
  const last = { key: { high: HIGH_MAX, low }, value };
  return { found: found.filter((one) => comparePlaces(one, last, query.order) <= 0), isCut };
}

const HIGH_MAX = 2n ** 64n - 1n;

async function highsOf(
  select: Select,
  filter: Filter,
  lows: readonly bigint[],
  signal: AbortSignal | undefined,
): Promise<Map<bigint, bigint[]>> {
  const highs = new Map<bigint, bigint[]>();
  for (let at = 0; at < lows.length; at += LOWS_PER_STATEMENT_MAX) {
    const statement = pairsStatement(filter, lows.slice(at, at + LOWS_PER_STATEMENT_MAX));
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
