// Parameters of Jaeger's v3 HTTP API (jaeger.md §2.3), in camelCase, and in the snake_case that came
// before it. Error texts are Jaeger's where it has them. Throws RefusalError `malformed`.

import type { SpanKind } from '../../../../model/span.ts';
import type { DependencyFilter } from '../../../dependencies.ts';
import type { FindQuery } from '../../../find.ts';
import { KIND_NAMES } from '../../../tags.ts';
import {
  checkedName,
  checkedTags,
  findQueryOf,
  LIMIT_DEFAULT,
  LIMIT_MAX,
  refuse,
  stringMapJson,
} from '../find_query.ts';
import { parseGoDuration, quote } from '../go_duration.ts';
import { parseRfc3339 } from './rfc3339.ts';

const INT64_MAX = 2n ** 63n - 1n;

export interface FindRequest {
  readonly query: FindQuery;
  readonly raw: boolean;
}

/** A search; its window is needed, its service is not. */
export function parseFind(params: URLSearchParams, tenant: string): FindRequest {
  const { value: filter } = find(params, 'query.filter');
  if (filter !== '') {
    // Never ignored: without it there would be more traces than were asked for.
    refuse('query.filter is not supported here; use query.attributes and the other parameters');
  }
  const attributes = find(params, 'query.attributes').value;
  const pairs =
    attributes === ''
      ? []
      : stringMapJson(attributes, (error) => `malformed parameter query.attributes: ${error}`);
  const [start, end] = window(params);
  const [min, max] = durations(params);
  const query = findQueryOf(tenant, {
    service: nameParam(params, 'query.serviceName'),
    operation: nameParam(params, 'query.operationName'),
    startUnixNanos: start,
    // The end is exclusive, ours is not.
    endUnixNanos: end - 1n,
    durationNanosMin: min,
    durationNanosMax: max,
    tags: checkedTags(pairs),
    limit: depthParam(params),
  });
  return { query, raw: flagParam(params, 'query.rawTraces') };
}

/** `startTime`, `endTime` (hints that we do not need) and `rawTraces`: true for raw. */
export function parseGet(params: URLSearchParams): boolean {
  timeParam(params, 'startTime');
  timeParam(params, 'endTime');
  return flagParam(params, 'rawTraces');
}

export function parseOperations(params: URLSearchParams): { service: string; kind?: SpanKind } {
  const service = nameParam(params, 'service');
  if (service === undefined) return refuse("parameter 'service' is required");
  const { name, value } = find(params, 'spanKind');
  return { service, ...kindOf(name, value) };
}

/** '' is any kind. */
export function kindOf(name: string, text: string): { kind?: SpanKind } {
  if (text === '') return {};
  const kind = (KIND_NAMES as readonly string[]).indexOf(text.toLowerCase());
  if (kind > 0) return { kind: kind as SpanKind };
  return refuse(
    `malformed parameter ${name}: expected internal, server, client, producer or consumer, ` +
      `received ${quote(text)}`,
  );
}

export function parseV3Dependencies(params: URLSearchParams, tenant: string): DependencyFilter {
  const [from, to] = [timeParam(params, 'startTime'), timeParam(params, 'endTime')];
  if (from === undefined) return refuse('start_time is required');
  if (to === undefined) return refuse('end_time is required');
  if (to <= from) return refuse('end_time must be after start_time');
  return { tenant, fromUnixNanos: from, toUnixNanos: to };
}

/** By its own name, else by its old one, else by the one before that. */
function find(
  params: URLSearchParams,
  name: string,
  ...older: readonly string[]
): { name: string; value: string } {
  const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  for (const one of [name, snake, ...older]) {
    const value = params.get(one) ?? '';
    if (value !== '') return { name: one, value };
  }
  return { name, value: '' };
}

function nameParam(params: URLSearchParams, canonical: string): string | undefined {
  const { name, value } = find(params, canonical);
  return checkedName(name, value);
}

function window(params: URLSearchParams): [start: bigint, end: bigint] {
  const start = timeParam(params, 'query.startTimeMin');
  const end = timeParam(params, 'query.startTimeMax');
  if (start === undefined || end === undefined) {
    return refuse('query.startTimeMin and query.startTimeMax are required');
  }
  if (start >= end) refuse('query.startTimeMin must be before query.startTimeMax');
  return [start, end];
}

function timeParam(params: URLSearchParams, canonical: string): bigint | undefined {
  const { name, value } = find(params, canonical);
  if (value === '') return undefined;
  const nanos = parseRfc3339(value);
  if (nanos === undefined) {
    return refuse(
      `malformed parameter ${name}: expected a time such as 2026-11-23T12:00:00.5Z, ` +
        `received ${quote(value)}`,
    );
  }
  if (nanos < -INT64_MAX || nanos > INT64_MAX) {
    refuse(`malformed parameter ${name}: ${quote(value)} is not between 1677 and 2262`);
  }
  return nanos;
}

function durations(params: URLSearchParams): (bigint | undefined)[] {
  const [min, max] = ['query.durationMin', 'query.durationMax'].map((canonical) => {
    const { name, value } = find(params, canonical);
    if (value === '') return undefined;
    const parsed = parseGoDuration(value);
    if (!parsed.ok) return refuse(`malformed parameter ${name}: ${parsed.error}`);
    if (parsed.nanos < 0n) refuse(`malformed parameter ${name}: ${quote(value)} is negative`);
    // Zero is "not given" to Jaeger.
    return parsed.nanos === 0n ? undefined : parsed.nanos;
  });
  if (min !== undefined && max !== undefined && max < min) {
    refuse('query.durationMax must not be less than query.durationMin');
  }
  return [min, max];
}

function depthParam(params: URLSearchParams): number {
  const { name, value } = find(params, 'query.searchDepth', 'query.num_traces');
  if (value === '') return LIMIT_DEFAULT;
  if (!/^[-+]?\d+$/.test(value)) {
    refuse(`malformed parameter ${name}: strconv.Atoi: parsing ${quote(value)}: invalid syntax`);
  }
  const depth = Number(value);
  if (depth < 1 || depth > LIMIT_MAX) {
    refuse(`malformed parameter ${name}: expected 1 to ${LIMIT_MAX}, received ${quote(value)}`);
  }
  return depth;
}

/** Go's strconv.ParseBool. */
function flagParam(params: URLSearchParams, canonical: string): boolean {
  const { name, value } = find(params, canonical);
  if (value === '') return false;
  if (/^(1|t|T|TRUE|true|True)$/.test(value)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(value)) return false;
  return refuse(
    `malformed parameter ${name}: strconv.ParseBool: parsing ${quote(value)}: invalid syntax`,
  );
}
