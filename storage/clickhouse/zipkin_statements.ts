// Statements for Zipkin's API: its lists, where names are in lower case as its users know them, and
// what it asks of traces by id.

import type { Statement, TraceKey } from './statement.ts';

/** A name that is stored in more spellings than this is asked for in these only. */
export const SPELLINGS_MAX = 8;

/** Columns service, name: what is stored of those that are these in lower case. */
export function spellingsStatement(
  tenant: string,
  service: string | undefined,
  name: string | undefined,
): Statement {
  const rules = ['tenant = {tenant:String}'];
  const columns: string[] = [];
  if (service !== undefined) {
    rules.push('lowerUTF8(service) = {service:String}');
    columns.push('service');
  }
  if (name !== undefined) {
    rules.push('lowerUTF8(name) = {name:String}');
    columns.push('name');
  }
  return {
    sql: `SELECT DISTINCT ${columns.join(', ')}
FROM {db:Identifier}.operations
WHERE ${rules.join('\n  AND ')}
ORDER BY ${columns.join(', ')}
LIMIT ${SPELLINGS_MAX}`,
    params: {
      tenant,
      ...(service === undefined ? {} : { service }),
      ...(name === undefined ? {} : { name }),
    },
  };
}

/** Column name: of the services that are this one in lower case. */
export function spanNamesStatement(tenant: string, service: string, limit: number): Statement {
  return {
    sql: `SELECT DISTINCT name
FROM {db:Identifier}.operations
WHERE tenant = {tenant:String} AND lowerUTF8(service) = {service:String} AND name != ''
LIMIT {limit:UInt32}`,
    params: { tenant, service, limit },
  };
}

/** Column remote: whom the services that are this one in lower case spoke to. */
export function remoteServicesStatement(tenant: string, service: string, limit: number): Statement {
  return {
    sql: `SELECT DISTINCT remote
FROM {db:Identifier}.remote_services
WHERE tenant = {tenant:String} AND lowerUTF8(service) = {service:String}
LIMIT {limit:UInt32}`,
    params: { tenant, service, limit },
  };
}

/** Column remote: what is stored of a remote service that is this one in lower case. */
export function remoteSpellingsStatement(tenant: string, remote: string): Statement {
  return {
    sql: `SELECT DISTINCT remote
FROM {db:Identifier}.remote_services
WHERE tenant = {tenant:String} AND lowerUTF8(remote) = {remote:String}
ORDER BY remote
LIMIT ${SPELLINGS_MAX}`,
    params: { tenant, remote },
  };
}

export interface ValuesOf {
  readonly tenant: string;
  readonly key: string;
  /** Starts of spans, both inclusive. */
  readonly fromUnixNanos: bigint;
  readonly toUnixNanos: bigint;
  /** Spans with the key that are looked at, at most. */
  readonly spansMax: number;
  readonly limit: number;
}

/** Column value: texts of an attribute of spans and of their resources. */
export function tagValuesStatement(of: ValuesOf): Statement {
  return {
    sql: `SELECT DISTINCT value
FROM (
  SELECT attr_s[{key:String}] AS value
  FROM {db:Identifier}.spans
  WHERE tenant = {tenant:String}
    AND ts >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
    AND ts <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')
    AND has(mapKeys(attr_s), {key:String})
  LIMIT {spansMax:UInt32}
  UNION ALL
  SELECT attrs[{key:String}] AS value
  FROM {db:Identifier}.resources
  WHERE tenant = {tenant:String}
    AND day >= toDate(fromUnixTimestamp64Nano({from:Int64}, 'UTC'))
    AND day <= toDate(fromUnixTimestamp64Nano({to:Int64}, 'UTC'))
    AND has(mapKeys(attrs), {key:String})
)
WHERE value != ''
LIMIT {limit:UInt32}`,
    params: {
      tenant: of.tenant,
      key: of.key,
      from: of.fromUnixNanos,
      to: of.toUnixNanos,
      spansMax: of.spansMax,
      limit: of.limit,
    },
  };
}

/** Columns trace_lo, trace_hi, start (Int64, Unix nanoseconds): when each trace began. */
export function startsStatement(tenant: string, keys: readonly TraceKey[]): Statement {
  return {
    sql: `SELECT trace_lo, trace_hi, toUnixTimestamp64Nano(min(start_time)) AS start
FROM {db:Identifier}.trace_summaries
WHERE tenant = {tenant:String}
  AND (trace_lo, trace_hi) IN arrayZip({lows:Array(UInt64)}, {highs:Array(UInt64)})
GROUP BY trace_lo, trace_hi`,
    params: {
      tenant,
      lows: keys.map((key) => key.low),
      highs: keys.map((key) => key.high),
    },
  };
}

/** Columns trace_lo, trace_hi: every trace whose id ends in one of these. */
export function sameLowStatement(tenant: string, lows: readonly bigint[]): Statement {
  return {
    sql: `SELECT DISTINCT trace_lo, trace_hi
FROM {db:Identifier}.trace_summaries
WHERE tenant = {tenant:String} AND trace_lo IN {lows:Array(UInt64)}
ORDER BY trace_lo, trace_hi
LIMIT ${HIGHS_MAX} BY trace_lo`,
    params: { tenant, lows },
  };
}

/** One id in 64 and in 128 bits is two; what shares half an id by chance is not endless either. */
const HIGHS_MAX = 8;
