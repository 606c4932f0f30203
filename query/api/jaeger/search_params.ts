// The parameters of `/api/traces`, with the error texts of Jaeger's own parser (jaeger.md §2.2).
// An answer that is not Jaeger's (a bound, a window turned round) is a plain sentence.

import type { Order } from '../../../storage/clickhouse/find_statements.ts';
import type { TraceKey } from '../../../storage/clickhouse/statement.ts';
import type { Tag } from '../../../storage/clickhouse/tag_condition.ts';
import { type Cursor, parseCursor } from '../../cursor.ts';
import type { DependencyFilter } from '../../dependencies.ts';
import type { FindQuery } from '../../find.ts';
import { traceKeyOf } from '../../get.ts';
import {
  checkedName,
  checkedTags,
  findQueryOf,
  LIMIT_DEFAULT,
  LIMIT_MAX,
  refuse,
  stringMapJson,
} from './find_query.ts';
import { parseGoDuration, quote } from './go_duration.ts';

/** Jaeger's default window, in nanoseconds: 48 hours. */
export const WINDOW_NANOS = 48n * 3600n * 1_000_000_000n;
/** Jaeger's default window of dependencies: 24 hours. */
const LOOKBACK_NANOS = WINDOW_NANOS / 2n;
const MILLI_NANOS = 1_000_000n;
/** A page compares a handful of traces. */
const TRACE_IDS_MAX = 200;
/** Sixteen bytes. */
const BASE64_ID_CHARS_MAX = 24;

const ORDERS = ['newest', 'oldest', 'slowest'] as const;
/** A sign, 19 digits, a dot and an id. */
const CURSOR_CHARS_MAX = 53;

const INT64_MAX = 2n ** 63n - 1n;

export type SearchRequest =
  | { readonly type: 'find'; readonly query: FindQuery }
  | { readonly type: 'get'; readonly ids: readonly TraceKey[] };

/** Throws RefusalError `malformed`, its message the one that Jaeger's clients know. */
export function parseSearch(
  params: URLSearchParams,
  tenant: string,
  nowUnixNanos: bigint,
): SearchRequest {
  const ids = parseTraceIds(params.getAll('traceID').filter((id) => id !== ''));
  if (ids.length > 0) return { type: 'get', ids };
  const service = boundedName(params, 'service');
  if (service === undefined) refuse(`parameter 'service' is required`);
  const operation = boundedName(params, 'operation');
  const start = timeParam(params, 'start') ?? nowUnixNanos - WINDOW_NANOS;
  const end = timeParam(params, 'end');
  const min = durationParam(params, 'minDuration');
  const max = durationParam(params, 'maxDuration');
  const limit = limitParam(params);
  const tags = tagsOf(params);
  if (min !== undefined && max !== undefined && max < min) {
    refuse(`'maxDuration' should be greater than 'minDuration'`);
  }
  // Clients speak microseconds, so the last one of the window is in it as a whole.
  const endUnixNanos = end === undefined ? nowUnixNanos : end + 999n;
  if (start > endUnixNanos) refuse(`'start' should be before 'end'`);
  const query = findQueryOf(tenant, {
    service,
    operation,
    startUnixNanos: start,
    endUnixNanos,
    durationNanosMin: min,
    durationNanosMax: max,
    tags,
    limit,
  });
  const after = cursorParam(params);
  const page = { order: orderParam(params), ...(after === undefined ? {} : { after }) };
  return { type: 'find', query: { ...query, ...page } };
}

/** An id in a path: hex, or base64 as JSON of protobuf has it. Throws RefusalError. */
export function parsePathTraceId(
  text: string,
  problem = "unable to parse param 'traceID'",
): TraceKey {
  const bytes = traceKeyOf(text) === undefined ? base64Id(text) : undefined;
  if (bytes !== undefined) return traceKeyOf(bytes.toString('hex'))!;
  const error = traceIdError(text);
  if (error !== undefined) refuse(`${problem}: ${error}`);
  return traceKeyOf(text)!;
}

/** A time in microseconds since 1970, as nanoseconds. Throws RefusalError. */
export function timeParam(params: URLSearchParams, name: string): bigint | undefined {
  const micros = intParam(params, name);
  if (micros === undefined) return undefined;
  const nanos = micros * 1000n;
  if (nanos < -INT64_MAX || nanos > INT64_MAX - 999n) refuse(outOfRange(name, `${micros}`));
  return nanos;
}

/** `endTs` and `lookback` in milliseconds, and `service`. Throws RefusalError. */
export function parseDependencies(
  params: URLSearchParams,
  tenant: string,
  nowUnixNanos: bigint,
): DependencyFilter {
  const end = millisParam(params, 'endTs') ?? nowUnixNanos;
  const lookback = millisParam(params, 'lookback') ?? LOOKBACK_NANOS;
  if (lookback < 0n)
    refuse(`'lookback' should not be negative, received ${lookback / MILLI_NANOS}`);
  const service = boundedName(params, 'service');
  const fromUnixNanos = end - lookback < -INT64_MAX ? -INT64_MAX : end - lookback;
  const window = { tenant, fromUnixNanos, toUnixNanos: end };
  return service === undefined ? window : { ...window, service };
}

/** Milliseconds, as nanoseconds. Throws RefusalError. */
export function millisParam(params: URLSearchParams, name: string): bigint | undefined {
  const millis = intParam(params, name);
  if (millis === undefined) return undefined;
  const nanos = millis * MILLI_NANOS;
  if (nanos < -INT64_MAX || nanos > INT64_MAX) refuse(outOfRange(name, `${millis}`));
  return nanos;
}

/** Go's strconv.ParseBool. Throws RefusalError. */
export function boolParam(params: URLSearchParams, name: string): boolean {
  const text = params.get(name) ?? '';
  if (text === '') return false;
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  return refuse(
    `unable to parse param '${name}': strconv.ParseBool: parsing ${quote(text)}: invalid syntax`,
  );
}

function parseTraceIds(texts: readonly string[]): TraceKey[] {
  if (texts.length > TRACE_IDS_MAX) {
    refuse(`at most ${TRACE_IDS_MAX} 'traceID' parameters may be given, received ${texts.length}`);
  }
  return texts.map((text) => {
    const error = traceIdError(text);
    if (error !== undefined) refuse(`cannot parse traceID param: ${error}`);
    return traceKeyOf(text)!;
  });
}

/** The 8 or 16 bytes of an id; undefined where the text is not the base64 of so many. */
function base64Id(text: string): Buffer | undefined {
  if (text.length > BASE64_ID_CHARS_MAX || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === 8 || bytes.length === 16 ? bytes : undefined;
}

/** Go reads the two halves one after the other and names the one that it could not read. */
function traceIdError(text: string): string | undefined {
  if (text.length > 32) {
    return `TraceID cannot be longer than 32 hex characters: ${quote(text).slice(1, -1)}`;
  }
  const halves = text.length > 16 ? [text.slice(0, -16), text.slice(-16)] : [text];
  const bad = halves.find((half) => traceKeyOf(half) === undefined);
  return bad === undefined ? undefined : `strconv.ParseUint: parsing ${quote(bad)}: invalid syntax`;
}

export function boundedName(params: URLSearchParams, name: string): string | undefined {
  return checkedName(name, params.get(name) ?? '');
}

function intParam(params: URLSearchParams, name: string): bigint | undefined {
  const text = params.get(name) ?? '';
  if (text === '') return undefined;
  if (!/^[-+]?\d+$/.test(text)) {
    refuse(
      `unable to parse param '${name}': strconv.ParseInt: parsing ${quote(text)}: invalid syntax`,
    );
  }
  if (text.length > 20) refuse(outOfRange(name, text));
  const value = BigInt(text.replace('+', ''));
  if (value > INT64_MAX || value < -INT64_MAX - 1n) refuse(outOfRange(name, text));
  return value;
}

function outOfRange(name: string, text: string): string {
  return `unable to parse param '${name}': strconv.ParseInt: parsing ${quote(text)}: value out of range`;
}

function limitParam(params: URLSearchParams): number {
  const limit = intParam(params, 'limit') ?? 0n;
  if (limit < 0n || limit > BigInt(LIMIT_MAX)) {
    refuse(`'limit' should be between 1 and ${LIMIT_MAX}, received ${limit}`);
  }
  return limit === 0n ? LIMIT_DEFAULT : Number(limit);
}

/** Ours, not Jaeger's: what a trace is ranked by. */
function orderParam(params: URLSearchParams): Order {
  const text = params.get('order') ?? '';
  if (text === '') return 'newest';
  const order = ORDERS.find((one) => one === text);
  return order ?? refuse(`'order' should be newest, oldest or slowest, received ${quote(text)}`);
}

/** Ours, not Jaeger's: `nextCursor` of the answer before. */
function cursorParam(params: URLSearchParams): Cursor | undefined {
  const text = params.get('cursor') ?? '';
  if (text === '') return undefined;
  const cursor = text.length > CURSOR_CHARS_MAX ? undefined : parseCursor(text);
  return (
    cursor ??
    refuse(`'cursor' should be the nextCursor of an answer, received ${quote(text.slice(0, 80))}`)
  );
}

function durationParam(params: URLSearchParams, name: string): bigint | undefined {
  const text = params.get(name) ?? '';
  if (text === '') return undefined;
  const parsed = parseGoDuration(text);
  if (!parsed.ok) return refuse(`unable to parse param '${name}': ${parsed.error}`);
  if (parsed.nanos < 0n) refuse(`'${name}' should not be negative, received ${quote(text)}`);
  // Zero is "not given" to Jaeger.
  return parsed.nanos === 0n ? undefined : parsed.nanos;
}

/** `tag=key:value`, repeated, and `tags={"key":"value"}`; of one key the last one counts. */
function tagsOf(params: URLSearchParams): Tag[] {
  const tags: (readonly [string, string])[] = [];
  for (const text of params.getAll('tag')) {
    const colon = text.indexOf(':');
    if (colon === -1) {
      refuse(
        `malformed 'tag' parameter, expecting key:value, received: ${quote(text).slice(1, -1)}`,
      );
    }
    tags.push([text.slice(0, colon), text.slice(colon + 1)]);
  }
  const problem = (error: string): string =>
    `malformed 'tags' parameter, cannot unmarshal JSON: ${error}`;
  for (const text of params.getAll('tags').filter((one) => one !== '')) {
    tags.push(...stringMapJson(text, problem));
  }
  return checkedTags(tags);
}
