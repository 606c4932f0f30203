// Jaeger's v3 HTTP API: /api/v3/* (jaeger.md §2.3). Traces are OTLP's JSON in `{"result": …}`.

import type { FastifyInstance, FastifyReply } from 'fastify';
import type { TraceKey } from '../../../../storage/clickhouse/statement.ts';
import { listDependencies } from '../../../dependencies.ts';
import { findTraces } from '../../../find.ts';
import { traceKeyOf } from '../../../get.ts';
import {
  type Answer,
  type Context,
  enter,
  firstOf,
  type QueryDeps,
  sendPieces,
  sendText,
  serve,
} from '../../../http_answer.ts';
import { listOperations, listServices } from '../../../lists.ts';
import { summarize } from '../../../summaries.ts';
import { KIND_NAMES } from '../../../tags.ts';
import { parsePathTraceId } from '../search_params.ts';
import { shownTraces } from '../shown_traces.ts';
import { parseFind, parseGet, parseOperations, parseV3Dependencies } from './params.ts';
import { summariesJson } from './summary_json.ts';
import { resultJson } from './traces_json.ts';

const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';

export function registerJaegerV3(app: FastifyInstance, deps: QueryDeps): void {
  const { select } = deps;
  const route = (path: string, answer: Answer): void => {
    app.get(`/api/v3${path}`, (request, reply) => serve(request, reply, deps, answer, sendError));
  };
  route('/services', async (context) => {
    const services = await listServices(select, context.tenant, context.signal);
    return sendText(context, JSON_TYPE, JSON.stringify({ services }));
  });
  route('/operations', async (context) => {
    const of = parseOperations(context.params);
    const found = await listOperations(select, context.tenant, of, context.signal);
    // A kind is never empty in this API.
    const operations = found.map(({ name, kind }) => ({
      name,
      spanKind: KIND_NAMES[kind] || 'internal',
    }));
    return sendText(context, JSON_TYPE, JSON.stringify({ operations }));
  });
  route('/traces', async (context) => {
    const { query, raw } = parseFind(context.params, context.tenant);
    await enter(context, deps);
    const found = await findTraces(select, query, context.signal);
    return sendTraces(context, deps, keysOf(found), raw);
  });
  route('/traces/:traceId', async (context) => {
    const { traceId } = context.request.params as { traceId: string };
    const key = parsePathTraceId(traceId, 'malformed parameter trace_id');
    const raw = parseGet(context.params);
    await enter(context, deps);
    return sendTraces(context, deps, [key], raw);
  });
  route('/trace-summaries', async (context) => {
    const { query } = parseFind(context.params, context.tenant);
    await enter(context, deps);
    const keys = keysOf(await findTraces(select, query, context.signal));
    const summaries = await summarize(select, context.tenant, keys, context.signal, deps.memory);
    return sendText(context, JSON_TYPE, summariesJson(summaries));
  });
  route('/dependencies', async (context) => {
    const filter = parseV3Dependencies(context.params, context.tenant);
    await enter(context, deps);
    const dependencies = await listDependencies(select, filter, context.signal);
    // 64-bit integers are strings in JSON of protobuf.
    const list = dependencies.map((one) => ({ ...one, callCount: `${one.callCount}` }));
    return sendText(context, JSON_TYPE, JSON.stringify({ dependencies: list }));
  });
}

function keysOf(found: readonly { readonly traceId: string }[]): TraceKey[] {
  return found.map(({ traceId }) => traceKeyOf(traceId)!);
}

/** As Go's http.Error: plain text by its type, JSON by its content. */
function sendError(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply
    .code(status)
    .type(TEXT_TYPE)
    .send(`${JSON.stringify({ error: { httpCode: status, message } })}\n`);
}

async function sendTraces(
  context: Context,
  deps: QueryDeps,
  keys: readonly TraceKey[],
  raw: boolean,
): Promise<FastifyReply> {
  const view = { raw, clockSkewNanosMax: deps.clockSkewNanosMax };
  const traces = shownTraces(deps, context.tenant, keys, context.signal);
  const first = await firstOf(context, traces);
  if (first.done) return sendError(context.reply, 404, 'No traces found');
  return sendPieces(context, deps, JSON_TYPE, resultJson(first.value, traces, view));
}
