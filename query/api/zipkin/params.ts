// Parameters of Zipkin's API, with the error texts of its server (zipkin.md §2). What Zipkin does
// not bound is bounded here, in a sentence of our own.

import { RefusalError } from '../../../service/refusal.ts';
import type { TraceKey } from '../../../storage/clickhouse/statement.ts';
import { traceKeyOf } from '../../get.ts';
import { type AnnotationQuery, parseAnnotationQuery } from './annotation_query.ts';

/** Names in lower case; times in Unix nanoseconds, both ends inclusive; durations in nanoseconds. */
export interface ZipkinQuery extends Window {
  readonly service?: string;
  readonly remoteService?: string;
  readonly spanName?: string;
  readonly annotations: AnnotationQuery;
  readonly durationNanosMin?: bigint;
  readonly durationNanosMax?: bigint;
  readonly limit: number;
}

export interface Window {
  readonly startUnixNanos: bigint;
  readonly endUnixNanos: bigint;
}

const LIMIT_DEFAULT = 10n;
/** Whole traces are read, so more would be gigabytes; as for Jaeger's API. */
const LIMIT_MAX = 1500n;
/** Names are cut at 1024 bytes when they are stored. */
const NAME_CHARS_MAX = 1024;
const TRACE_IDS_MAX = 1000;
const MICRO_NANOS = 1000n;
const MILLI_NANOS = 1_000_000n;
const INT64_MAX = 2n ** 63n - 1n;
/** The last millisecond whose nanoseconds ClickHouse can hold, in the year 2262. */
const MILLIS_MAX = INT64_MAX / MILLI_NANOS - 1n;
const MICROS_MAX = INT64_MAX / MICRO_NANOS;

/** Throws RefusalError `malformed`. */
export function parseQuery(
  params: URLSearchParams,
  now: { readonly unixMillis: bigint; readonly lookbackMillis: bigint },
): ZipkinQuery {
  const service = nameParam(params, 'serviceName');
  const remoteService = nameParam(params, 'remoteServiceName');
  const spanName = nameParam(params, 'spanName');
  const min = longParam(params, 'minDuration');
  const max = longParam(params, 'maxDuration');
  const limit = longParam(params, 'limit') ?? LIMIT_DEFAULT;
  const window = parseWindow(params, now);
  if (limit <= 0n) refuse('limit <= 0');
  if (limit > LIMIT_MAX) refuse(`limit > ${LIMIT_MAX}: ask for fewer traces, or several times`);
  if (min !== undefined && min <= 0n) refuse('minDuration <= 0');
  if (max !== undefined) {
    if (min === undefined) refuse('maxDuration is only valid with minDuration');
    if (max < (min as bigint)) refuse('maxDuration < minDuration');
  }
  return {
    ...window,
    annotations: parseAnnotationQuery(params.get('annotationQuery') ?? ''),
    limit: Number(limit),
    ...(service === undefined ? {} : { service }),
    ...(remoteService === undefined ? {} : { remoteService }),
    ...(spanName === undefined || spanName === 'all' ? {} : { spanName }),
    ...(min === undefined ? {} : { durationNanosMin: atMost(min, MICROS_MAX) * MICRO_NANOS }),
    // A duration is cut to whole microseconds when it is shown.
    ...(max === undefined
      ? {}
      : { durationNanosMax: atMost(max, MICROS_MAX - 1n) * MICRO_NANOS + 999n }),
  };
}

/** `endTs` (now) and `lookback` in milliseconds. Throws RefusalError. */
export function parseWindow(
  params: URLSearchParams,
  now: { readonly unixMillis: bigint; readonly lookbackMillis: bigint },
): Window {
  const end = longParam(params, 'endTs') ?? now.unixMillis;
  const lookback = longParam(params, 'lookback') ?? now.lookbackMillis;
  if (end <= 0n) refuse('endTs <= 0');
  if (lookback <= 0n) refuse('lookback <= 0');
  const to = atMost(end, MILLIS_MAX);
  const from = lookback > to ? 0n : to - lookback;
  // Zipkin compares microseconds, so the first one of a millisecond is in it and the next is not.
  return { startUnixNanos: from * MILLI_NANOS, endUnixNanos: to * MILLI_NANOS + 999n };
}

/** `endTs` cannot be left out here. Throws RefusalError. */
export function parseDependencyWindow(params: URLSearchParams, lookbackMillis: bigint): Window {
  requiredParam(params, 'endTs');
  return parseWindow(params, { unixMillis: 0n, lookbackMillis });
}

/** Throws RefusalError where it is missing or empty. */
export function requiredParam(params: URLSearchParams, name: string): string {
  const text = params.get(name);
  if (text === null) refuse(`Mandatory parameter/header is missing: ${name}`);
  return bounded(name, text as string);
}

/** Throws RefusalError. */
export function requiredName(params: URLSearchParams, name: string): string {
  return requiredParam(params, name).trim().toLowerCase();
}

/** 1 to 32 lower-case hex digits. Throws RefusalError. */
export function parseTraceId(text: string): TraceKey {
  const id = text.trim();
  if (id === '') refuse('traceId is empty');
  if (id.length > 32) refuse('traceId.length > 32');
  const key = /^[0-9a-f]+$/.test(id) ? traceKeyOf(id) : undefined;
  if (key === undefined) refuse(`${id} should be lower-hex encoded with no prefix`);
  if (key!.high === 0n && key!.low === 0n) refuse('traceId is all zeros');
  return key as TraceKey;
}

/** Several ids with commas between. Throws RefusalError. */
export function parseTraceIds(params: URLSearchParams): TraceKey[] {
  const text = params.get('traceIds');
  if (text === null) refuse('Mandatory parameter/header is missing: traceIds');
  if (text === '') refuse('traceIds parameter is empty');
  const ids = (text as string).split(',', TRACE_IDS_MAX + 1);
  if (ids.length > TRACE_IDS_MAX) refuse(`traceIds has more than ${TRACE_IDS_MAX} ids`);
  if (ids.length === 1) refuse('Use /api/v2/trace/{traceId} endpoint to retrieve a single trace');
  const seen = new Set<string>();
  return ids.map((id) => {
    const key = parseTraceId(id);
    const normal = `${key.high} ${key.low}`;
    if (seen.has(normal)) refuse(`redundant traceId: ${id.trim()}`);
    seen.add(normal);
    return key;
  });
}

function nameParam(params: URLSearchParams, name: string): string | undefined {
  const text = bounded(name, params.get(name) ?? '')
    .trim()
    .toLowerCase();
  return text === '' ? undefined : text;
}

function bounded(name: string, text: string): string {
  if (text.length > NAME_CHARS_MAX) {
    refuse(`${name} has ${text.length} characters: at most ${NAME_CHARS_MAX} may be given`);
  }
  return text;
}

/** As Java reads a long; an empty one is not given. */
function longParam(params: URLSearchParams, name: string): bigint | undefined {
  const text = bounded(name, params.get(name) ?? '');
  if (text === '') return undefined;
  if (!/^[-+]?\d{1,19}$/.test(text)) refuse(`For input string: ${JSON.stringify(text)}`);
  const value = BigInt(text.replace('+', ''));
  if (value > INT64_MAX || value < -INT64_MAX) refuse(`For input string: ${JSON.stringify(text)}`);
  return value;
}

function atMost(value: bigint, max: bigint): bigint {
  return value < max ? value : max;
}

function refuse(message: string): never {
  throw new RefusalError({ code: 'malformed', message });
}
