// Jaeger's classic HTTP API: /api/services, /api/operations, /api/traces (jaeger.md §2.1).

import type { FastifyInstance, FastifyReply } from 'fastify';
import type { SpanKind } from '../../../model/span.ts';
import { RefusalError } from '../../../service/refusal.ts';
import { type TraceKey, traceIdText } from '../../../storage/clickhouse/statement.ts';
import { cursorText } from '../../cursor.ts';
import { listDependencies } from '../../dependencies.ts';
import { countTraces, findTraces } from '../../find.ts';
import { traceKeyOf } from '../../get.ts';
import {
  type Answer,
  type Context,
  enter,
  nowUnixNanos,
  type QueryDeps,
  serve,
} from '../../http_answer.ts';
import { listOperations, listServices } from '../../lists.ts';
import { KIND_NAMES } from '../../tags.ts';
import { allFound, sendError, sendJson, sendTraces } from './answers.ts';
import { isUnchanged, tagged } from './entity_tag.ts';
import { dataEnvelope, type Ending, type EnvelopeError, listEnvelope } from './envelope.ts';
import { quote } from './go_duration.ts';
import {
  boolParam,
  boundedName,
  parseDependencies,
  parsePathTraceId,
  parseSearch,
  timeParam,
} from './search_params.ts';
import { shownTraces } from './shown_traces.ts';
import { jaegerTraceId } from './span_json.ts';

export function registerJaeger(app: FastifyInstance, deps: QueryDeps): void {
  const { select } = deps;
  const route = (path: string, answer: Answer): void => {
    app.get(path, (request, reply) => serve(request, reply, deps, answer, sendError));
  };
  route('/api/services', async (context) => {
    const services = await listServices(select, context.tenant, context.signal);
    return sendJson(context, listEnvelope(services));
  });
  route('/api/services/:service/operations', async (context) => {
    const { service } = context.request.params as { service: string };
    const operations = await listOperations(select, context.tenant, { service }, context.signal);
    const names = new Set(operations.map((operation) => operation.name));
    return sendJson(context, listEnvelope([...names]));
  });
  route('/api/operations', async (context) => {
    const of = operationsOf(context.params);
    const operations = await listOperations(select, context.tenant, of, context.signal);
    const data = operations.map(({ name, kind }) => ({ name, spanKind: KIND_NAMES[kind] }));
    return sendJson(context, listEnvelope(data));
  });
  route('/api/traces', (context) => searchTraces(context, deps));
  route('/api/traces/:traceId', (context) => oneTrace(context, deps));
  route('/api/dependencies', (context) => dependencies(context, deps));
}

function operationsOf(params: URLSearchParams): { service: string; kind?: SpanKind } {
  const service = boundedName(params, 'service');
  if (service === undefined) throw malformed(`parameter 'service' is required`);
  const name = params.get('spanKind') ?? '';
  if (name === '') return { service };
  const kind = (KIND_NAMES as readonly string[]).indexOf(name.toLowerCase());
  if (kind === -1) {
    throw malformed(
      `'spanKind' should be internal, server, client, producer or consumer, received ${quote(name)}`,
    );
  }
  return { service, kind: kind as SpanKind };
}

function malformed(message: string): RefusalError {
  return new RefusalError({ code: 'malformed', message });
}

async function searchTraces(context: Context, deps: QueryDeps): Promise<FastifyReply> {
  const { params, tenant, signal } = context;
  const asked = parseSearch(params, tenant, nowUnixNanos(deps.clock));
  const raw = boolParam(params, 'raw');
  const counting = boolParam(params, 'count');
  await enter(context, deps);
  if (asked.type === 'get') {
    return await sendStored(context, deps, asked.ids, raw, (ids) => ({ errors: missing(ids) }));
  }
  const { query } = asked;
  const [found, total] = await Promise.all([
    findTraces(deps.select, query, signal),
    counting ? countTraces(deps.select, query, signal) : 0,
  ]);
  const ids = found.map((trace) => traceKeyOf(trace.traceId)!);
  const last = found.length < query.limit ? undefined : found.at(-1);
  const ending: Ending = {
    errors: [],
    total,
    ...(last === undefined ? {} : { nextCursor: cursorText(last) }),
  };
  return await sendStored(context, deps, ids, raw, () => ending);
}

/** `start` and `end` are hints to other stores; ours knows when a trace was. */
async function oneTrace(context: Context, deps: QueryDeps): Promise<FastifyReply> {
  const { request, params } = context;
  const { traceId } = request.params as { traceId: string };
  const id = parsePathTraceId(traceId);
  timeParam(params, 'start');
  timeParam(params, 'end');
  const raw = boolParam(params, 'raw');
  await enter(context, deps);
  if (await isUnchanged(context, deps, id)) return context.reply.code(304).send();
  const traces = tagged(context, deps, shownTraces(deps, context.tenant, [id], context.signal));
  return await sendTraces(context, deps, [id], traces, raw, allFound);
}

async function dependencies(context: Context, deps: QueryDeps): Promise<FastifyReply> {
  const { params, tenant, signal } = context;
  const filter = parseDependencies(params, tenant, nowUnixNanos(deps.clock));
  await enter(context, deps);
  return sendJson(context, dataEnvelope(await listDependencies(deps.select, filter, signal)));
}

function sendStored(
  context: Context,
  deps: QueryDeps,
  ids: readonly TraceKey[],
  raw: boolean,
  endingOf: (missing: readonly TraceKey[]) => Ending,
): Promise<FastifyReply> {
  const traces = shownTraces(deps, context.tenant, ids, context.signal);
  return sendTraces(context, deps, ids, traces, raw, endingOf);
}

function missing(ids: readonly TraceKey[]): EnvelopeError[] {
  return ids.map((id) => ({ msg: 'trace not found', traceID: jaegerTraceId(traceIdText(id)) }));
}
