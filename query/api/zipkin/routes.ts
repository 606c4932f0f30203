// Zipkin's query API, v2 (zipkin.md §2). Answers are JSON, errors a sentence of plain text.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { RefusalError } from '../../../service/refusal.ts';
import type { TraceKey } from '../../../storage/clickhouse/statement.ts';
import { listZipkinLinks } from '../../dependencies.ts';
import { type FoundTrace, getTraces } from '../../get.ts';
import {
  type Answer,
  type Context,
  enter,
  firstOf,
  nowUnixNanos,
  type QueryDeps,
  sendPieces,
  sendText,
  serve,
} from '../../http_answer.ts';
import { linksJson } from './links_json.ts';
import { remoteServiceNames, serviceNames, spanNames, tagValues } from './names.ts';
import {
  parseDependencyWindow,
  parseQuery,
  parseTraceId,
  parseTraceIds,
  requiredName,
  requiredParam,
} from './params.ts';
import { groupsOf, type Search, searchTraces } from './search.ts';
import { spanList, traceList } from './trace_json.ts';

export interface ZipkinSettings {
  /** false: ids that end in the same 64 bits are one trace. */
  readonly strictTraceId: boolean;
  /** Keys of tags whose values a form may offer. */
  readonly autocompleteKeys: readonly string[];
  /** Where a search gives none, in milliseconds. */
  readonly lookbackMs: number;
  /** So many traces are tried for things that are common each, but hardly together. */
  readonly candidatesMax: number;
}

export const ZIPKIN_SETTINGS: ZipkinSettings = {
  strictTraceId: true,
  autocompleteKeys: [],
  lookbackMs: 86_400_000,
  // Some seconds of a core where nothing is found.
  candidatesMax: 2000,
};

const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/** A form may keep lists that are not tiny for five minutes, as Zipkin lets it. */
const NAMES_CACHE = 'max-age=300, must-revalidate';
const FEW_NAMES = 3;

/** Values of a tag are those of the last hour, of so many spans that have it. */
const VALUES_NANOS = 3_600_000_000_000n;
const VALUES_SPANS_MAX = 1_000_000;
const VALUES_MAX = 1000;
const MILLI_NANOS = 1_000_000n;

/** Answers below `prefix`, `/zipkin/api/v2` or `/api/v2`. */
export function registerZipkin(
  app: FastifyInstance,
  deps: QueryDeps,
  settings: ZipkinSettings,
  prefix: string,
): void {
  const { select } = deps;
  const route = (path: string, answer: Answer): void => {
    app.get(prefix + path, (request, reply) => serve(request, reply, deps, answer, sendError));
  };
  route('/services', async (context) => {
    return sendNames(context, await serviceNames(select, context.tenant, context.signal));
  });
  route('/spans', async (context) => {
    const service = requiredName(context.params, 'serviceName');
    return sendNames(context, await spanNames(select, context.tenant, service, context.signal));
  });
  route('/remoteServices', async (context) => {
    const { params, tenant, signal } = context;
    const service = requiredName(params, 'serviceName');
    return sendNames(context, await remoteServiceNames(select, tenant, service, signal));
  });
  route('/traces', (context) => search(context, deps, settings));
  route('/trace/:traceId', (context) => oneTrace(context, deps, settings));
  route('/traceMany', (context) => manyTraces(context, deps, settings));
  route('/dependencies', (context) => dependencies(context, deps, settings));
  route('/autocompleteKeys', async (context) => {
    context.reply.header('cache-control', NAMES_CACHE);
    return sendText(context, JSON_TYPE, JSON.stringify(settings.autocompleteKeys));
  });
  route('/autocompleteValues', (context) => autocompleteValues(context, deps, settings));
}

function sendError(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).type(TEXT_TYPE).send(message);
}

function sendNames(context: Context, names: readonly string[]): FastifyReply {
  if (names.length > FEW_NAMES) context.reply.header('cache-control', NAMES_CACHE);
  return sendText(context, JSON_TYPE, JSON.stringify(names));
}

async function search(
  context: Context,
  deps: QueryDeps,
  settings: ZipkinSettings,
): Promise<FastifyReply> {
  const asked = parseQuery(context.params, nowOf(deps, settings));
  await enter(context, deps);
  const found = await searchTraces(searchOf(context, deps, settings), asked);
  if (!found.complete) {
    if (found.groups.length === 0) throw new RefusalError({ code: 'too_large', message: TOO_RARE });
    context.reply.header('warning', `199 spanhouse "${TOO_RARE}"`);
  }
  return await sendTraces(context, deps, found.groups);
}

const TOO_RARE =
  'Too few of the newest traces meet all that was asked for, and not all have been looked at: ' +
  'narrow the time window, or ask for a tag that is rarer.';

async function oneTrace(
  context: Context,
  deps: QueryDeps,
  settings: ZipkinSettings,
): Promise<FastifyReply> {
  const { traceId } = context.request.params as { traceId: string };
  const id = parseTraceId(traceId);
  await enter(context, deps);
  const [keys = []] = await groupsOf(searchOf(context, deps, settings), [id]);
  const traces = read(context, deps, keys);
  const first = await firstOf(context, traces);
  if (first.done) {
    throw new RefusalError({ code: 'not_found', message: `${traceId.trim()} not found` });
  }
  return sendPieces(context, deps, JSON_TYPE, spanList(withFirst(first, traces)));
}

async function manyTraces(
  context: Context,
  deps: QueryDeps,
  settings: ZipkinSettings,
): Promise<FastifyReply> {
  const ids = parseTraceIds(context.params);
  await enter(context, deps);
  const groups = await groupsOf(searchOf(context, deps, settings), ids);
  return await sendTraces(context, deps, groups);
}

async function sendTraces(
  context: Context,
  deps: QueryDeps,
  groups: readonly (readonly TraceKey[])[],
): Promise<FastifyReply> {
  const traces = read(context, deps, groups.flat());
  const first = await firstOf(context, traces);
  return sendPieces(context, deps, JSON_TYPE, traceList(withFirst(first, traces), groups));
}

type Traces = AsyncGenerator<FoundTrace, void>;

function read({ tenant, signal }: Context, deps: QueryDeps, keys: readonly TraceKey[]): Traces {
  return getTraces(deps.select, tenant, keys, signal, deps.memory);
}

async function* withFirst(first: IteratorResult<FoundTrace, void>, rest: Traces): Traces {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

async function dependencies(
  context: Context,
  deps: QueryDeps,
  settings: ZipkinSettings,
): Promise<FastifyReply> {
  const { params, tenant, signal } = context;
  const window = parseDependencyWindow(params, BigInt(settings.lookbackMs));
  await enter(context, deps);
  const { startUnixNanos: fromUnixNanos, endUnixNanos: toUnixNanos } = window;
  const links = await listZipkinLinks(deps.select, tenant, { fromUnixNanos, toUnixNanos }, signal);
  return sendText(context, JSON_TYPE, linksJson(links));
}

async function autocompleteValues(
  context: Context,
  deps: QueryDeps,
  { autocompleteKeys }: ZipkinSettings,
): Promise<FastifyReply> {
  const { params, tenant, signal } = context;
  const key = requiredParam(params, 'key');
  if (!autocompleteKeys.includes(key)) return sendNames(context, []);
  const toUnixNanos = nowUnixNanos(deps.clock);
  await enter(context, deps);
  const values = await tagValues(
    deps.select,
    {
      ...{ tenant, key, toUnixNanos, fromUnixNanos: toUnixNanos - VALUES_NANOS },
      ...{ spansMax: VALUES_SPANS_MAX, limit: VALUES_MAX },
    },
    signal,
  );
  return sendNames(context, values);
}

function searchOf(
  { tenant, signal }: Context,
  { select }: QueryDeps,
  settings: ZipkinSettings,
): Search {
  const { strictTraceId: strict, candidatesMax } = settings;
  return { select, tenant, signal, strict, candidatesMax };
}

function nowOf(
  { clock }: QueryDeps,
  { lookbackMs }: ZipkinSettings,
): { unixMillis: bigint; lookbackMillis: bigint } {
  return { unixMillis: nowUnixNanos(clock) / MILLI_NANOS, lookbackMillis: BigInt(lookbackMs) };
}
