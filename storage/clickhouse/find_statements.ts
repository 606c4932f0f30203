// Statements that find traces by what one of their spans is.
// Each rule of a filter is one condition; the tenant is in every WHERE.

import type { Param, Statement, TraceKey } from './statement.ts';
import { contentHasTag, type Tag, type TagPlaces, tagCondition } from './tag_condition.ts';
import { bucketsOfTraces, keysParams } from './trace_statements.ts';

/** What a trace is ranked by: its newest, oldest or longest matching span. */
export type Order = 'newest' | 'oldest' | 'slowest';

/** Only a tag needs the wide table; the rest stands in `search` too. */
export type Condition =
  | { readonly type: 'tag'; readonly tag: Tag; readonly places: TagPlaces }
  | { readonly type: 'kind'; readonly kind: number }
  | { readonly type: 'status'; readonly status: number }
  | { readonly type: 'status_message'; readonly text: string }
  | { readonly type: 'not'; readonly condition: Condition }
  | { readonly type: 'any'; readonly conditions: readonly Condition[] };

/** One span has to meet all of it. Times and durations in nanoseconds, bounds inclusive. */
export interface Filter {
  readonly tenant: string;
  readonly fromUnixNanos: bigint;
  readonly toUnixNanos: bigint;
  readonly service?: string;
  readonly operation?: string;
  readonly durationNanosMin?: bigint;
  readonly durationNanosMax?: bigint;
  readonly conditions: readonly Condition[];
}

const DAY_NANOS = 86_400_000_000_000n;
const VALUE_OF: Readonly<Record<Order, string>> = {
  newest: 'toUnixTimestamp64Nano(max(ts))',
  oldest: 'toUnixTimestamp64Nano(min(ts))',
  slowest: 'max(duration)',
};

/** True where every condition can be checked in the narrow table. */
export function isNarrow(conditions: readonly Condition[]): boolean {
  return conditions.every((condition) => {
    if (condition.type === 'not') return isNarrow([condition.condition]);
    if (condition.type === 'any') return isNarrow(condition.conditions);
    return condition.type === 'kind' || condition.type === 'status';
  });
}

/** From `search`: trace_lo, value (Int64). Two traces may share a low half: see pairsStatement. */
export function searchStatement(filter: Filter, order: Order, limit: number): Statement {
  const { where, params } = whereOf(filter);
  return {
    sql: `SELECT trace_lo, ${VALUE_OF[order]} AS value
FROM {db:Identifier}.search
WHERE ${where}
GROUP BY trace_lo
ORDER BY value ${directionOf(order)}, trace_lo
LIMIT {limit:UInt32}`,
    params: { ...params, limit },
  };
}

/**
 * From `search`: value (Int64), the start in Unix nanoseconds of the nth span from the end that the
 * order begins with, of those that meet what `search` can check; no row where there are fewer.
 * For a service and an operation it reads in the order of the key, and stops there.
 */
export function nthCandidateStatement(
  filter: Filter & { readonly service: string; readonly operation: string },
  order: 'newest' | 'oldest',
  nth: number,
): Statement {
  const conditions = filter.conditions.filter((condition) => isNarrow([condition]));
  const { where, params } = whereOf({ ...filter, conditions });
  return {
    sql: `SELECT toUnixTimestamp64Nano(ts) AS value
FROM {db:Identifier}.search
WHERE ${where}
ORDER BY ts ${directionOf(order)}
LIMIT 1 OFFSET {before:UInt32}`,
    params: { ...params, before: nth - 1 },
  };
}

/** From `spans`: trace_lo, trace_hi, value (Int64), that is at most `valueMax`. */
export function spansStatement(
  filter: Filter,
  order: Order,
  limit: number,
  valueMax?: bigint,
): Statement {
  const { where, params } = whereOf(filter);
  if (valueMax !== undefined) params['valueMax'] = valueMax;
  const having = valueMax === undefined ? '' : '\nHAVING value <= {valueMax:Int64}';
  return {
    sql: `SELECT trace_lo, trace_hi, ${VALUE_OF[order]} AS value
FROM {db:Identifier}.spans
WHERE ${where}
GROUP BY trace_lo, trace_hi${having}
ORDER BY value ${directionOf(order)}, trace_lo, trace_hi
LIMIT {limit:UInt32}`,
    params: { ...params, limit },
  };
}

/**
 * From `spans`: trace_lo, trace_hi of those of the traces that have a matching span in the window of
 * the filter. Their own times come from the summaries, so it reads next to nothing.
 */
export function amongStatement(filter: Filter, keys: readonly TraceKey[]): Statement {
  const { where, params } = whereOf(filter);
  return {
    sql: `SELECT DISTINCT trace_lo, trace_hi
FROM {db:Identifier}.spans
PREWHERE (toStartOfFiveMinutes(ts), trace_lo, trace_hi) IN (${bucketsOfTraces()})
WHERE ${where}`,
    params: { ...params, ...keysParams(keys) },
  };
}

/**
 * One row: value (UInt64), how many traces have a span that meets the filter. Exact; of traces that
 * share a low half \`search\` knows one.
 */
export function countStatement(filter: Filter, table: 'search' | 'spans'): Statement {
  const { where, params } = whereOf(filter);
  const id = table === 'search' ? 'trace_lo' : 'trace_lo, trace_hi';
  return {
    sql: `SELECT uniqExact(${id}) AS value
FROM {db:Identifier}.${table}
WHERE ${where}`,
    params,
  };
}

/** As many as a whole cohort; ClickHouse reads at most 256 KiB of a query with its parameters. */
export const LOWS_PER_STATEMENT_MAX = 20_000;
/** Few are quicker as a list, and many as one text: each is 11 characters there. */
const LISTED_LOWS_MAX = 200;

/**
 * Which traces have these low halves, at most LOWS_PER_STATEMENT_MAX, and were there on the days of
 * the filter: trace_lo, trace_hi.
 */
export function pairsStatement(filter: Filter, lows: readonly bigint[]): Statement {
  const isFew = lows.length <= LISTED_LOWS_MAX;
  const among = isFew
    ? '{lows:Array(UInt64)}'
    : `(
    SELECT reinterpretAsUInt64(substring(packed, n * 8 + 1, 8))
    FROM (SELECT base64URLDecode({lows:String}) AS packed, arrayJoin(range({count:UInt32})) AS n)
  )`;
  const packed = (): string => Buffer.from(BigUint64Array.from(lows).buffer).toString('base64url');
  return {
    sql: `SELECT DISTINCT trace_lo, trace_hi
FROM {db:Identifier}.trace_summaries
WHERE tenant = {tenant:String}
  AND day >= toDate({firstDay:UInt16}) AND day <= toDate({lastDay:UInt16})
  AND trace_lo IN ${among}`,
    params: {
      tenant: filter.tenant,
      ...daysOf(filter),
      ...(isFew ? { lows } : { lows: packed(), count: lows.length }),
    },
  };
}

/** As spansStatement, of the traces with one of these low halves only. */
export function sharedLowsStatement(
  filter: Filter,
  order: Order,
  lows: readonly bigint[],
  limit: number,
): Statement {
  const { where, params } = whereOf(filter);
  return {
    sql: `SELECT trace_lo, trace_hi, ${VALUE_OF[order]} AS value
FROM {db:Identifier}.spans
WHERE trace_lo IN {lows:Array(UInt64)} AND ${where}
GROUP BY trace_lo, trace_hi
ORDER BY value ${directionOf(order)}, trace_lo, trace_hi
LIMIT {limit:UInt32}`,
    params: { ...params, lows, limit },
  };
}

/**
 * Rows `scope` (0: resources, 1: scopes), t0, t1, … (all UInt8): whether any resource (scope) of
 * these days has the tag.
 */
export function placesStatement(
  filter: Pick<Filter, 'tenant' | 'fromUnixNanos' | 'toUnixNanos'>,
  tags: readonly Tag[],
): Statement {
  const params: Record<string, Param> = { tenant: filter.tenant, ...daysOf(filter) };
  const columns = tags.map((tag, n) => {
    params[`key${n}`] = tag.key;
    params[`text${n}`] = tag.text;
    return `max(${contentHasTag(n)}) AS t${n}`;
  });
  const select = (table: 'resources' | 'scopes', scope: 0 | 1): string =>
    `SELECT toUInt8(${scope}) AS scope, ${columns.join(',\n  ')}
FROM {db:Identifier}.${table}
WHERE tenant = {tenant:String}
  AND day >= toDate({firstDay:UInt16}) AND day <= toDate({lastDay:UInt16})`;
  return { sql: `${select('resources', 0)}\nUNION ALL\n${select('scopes', 1)}`, params };
}

interface Where {
  readonly where: string;
  readonly params: Record<string, Param>;
}

function whereOf(filter: Filter): Where {
  const params: Record<string, Param> = {
    tenant: filter.tenant,
    from: filter.fromUnixNanos,
    to: filter.toUnixNanos,
  };
  const rules = [
    'tenant = {tenant:String}',
    "ts >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')",
    "ts <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')",
  ];
  if (filter.service !== undefined) {
    rules.push('service = {service:String}');
    params['service'] = filter.service;
  }
  if (filter.operation !== undefined) {
    rules.push('name = {operation:String}');
    params['operation'] = filter.operation;
  }
  if (filter.durationNanosMin !== undefined) {
    rules.push('duration >= {durationMin:Int64}');
    params['durationMin'] = filter.durationNanosMin;
  }
  if (filter.durationNanosMax !== undefined) {
    rules.push('duration <= {durationMax:Int64}');
    params['durationMax'] = filter.durationNanosMax;
  }
  const writing: Writing = { filter, params, n: 0 };
  for (const condition of filter.conditions) rules.push(conditionSql(condition, writing));
  return { where: rules.join('\n  AND '), params };
}

interface Writing {
  readonly filter: Filter;
  readonly params: Record<string, Param>;
  /** Tells the parameters of several conditions apart. */
  n: number;
}

/** Conditions are made by query/tags.ts and nest two levels, never as deep as a request says. */
function conditionSql(condition: Condition, writing: Writing): string {
  const { filter, params } = writing;
  switch (condition.type) {
    case 'tag': {
      const { tag, places } = condition;
      const { service, operation } = filter;
      const isInOperation = service !== undefined && operation !== undefined;
      const made = tagCondition(tag, places, writing.n++, isInOperation);
      Object.assign(params, made.params);
      if (places.resource || places.scope) Object.assign(params, daysOf(filter));
      return made.sql;
    }
    case 'kind':
    case 'status': {
      const name = `${condition.type}${writing.n++}`;
      params[name] = condition.type === 'kind' ? condition.kind : condition.status;
      return `${condition.type} = {${name}:UInt8}`;
    }
    case 'status_message': {
      const name = `message${writing.n++}`;
      params[name] = condition.text;
      return `status_message = {${name}:String}`;
    }
    case 'not':
      return `NOT ${conditionSql(condition.condition, writing)}`;
    case 'any': {
      const parts = condition.conditions.map((part) => conditionSql(part, writing));
      return `(${parts.join('\n  OR ')})`;
    }
  }
}

function daysOf(filter: Pick<Filter, 'fromUnixNanos' | 'toUnixNanos'>): {
  firstDay: number;
  lastDay: number;
} {
  return { firstDay: dayOf(filter.fromUnixNanos), lastDay: dayOf(filter.toUnixNanos) };
}

/** Days since 1970, within what ClickHouse's Date can hold: 1970 to 2149. */
function dayOf(unixNanos: bigint): number {
  return Math.min(Math.max(Number(unixNanos / DAY_NANOS), 0), 65_535);
}

function directionOf(order: Order): 'ASC' | 'DESC' {
  return order === 'oldest' ? 'ASC' : 'DESC';
}
