// Jaeger's archive: POST /api/archive/{id} keeps a trace past the retention, GET shows it as it was kept.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { RefusalError } from '../../../service/refusal.ts';
import { archiveTrace, getArchived, NO_ARCHIVE } from '../../archive.ts';
import { type Answer, type Context, enter, type QueryDeps, serve } from '../../http_answer.ts';
import { asStored } from '../../stored_trace.ts';
import { allFound, sendError, sendJson, sendTraces } from './answers.ts';
import { archivedEnvelope } from './envelope.ts';
import { boolParam, parsePathTraceId, timeParam } from './search_params.ts';

export function registerArchive(app: FastifyInstance, deps: QueryDeps): void {
  const route = (method: 'GET' | 'POST', answer: Answer): void => {
    app.route({
      method,
      url: '/api/archive/:traceId',
      handler: (request, reply) => serve(request, reply, deps, answer, sendError),
    });
  };
  route('POST', (context) => archive(context, deps));
  route('GET', (context) => archivedTrace(context, deps));
}

async function archive(context: Context, deps: QueryDeps): Promise<FastifyReply> {
  const { request, reply, tenant, signal } = context;
  const { traceId } = request.params as { traceId: string };
  const key = parsePathTraceId(traceId);
  timeParam(context.params, 'start');
  timeParam(context.params, 'end');
  if (deps.archive === undefined) return sendError(reply, 500, NO_ARCHIVE);
  // Any page could make a browser post this; browsers say so.
  if (/^(cross-site|same-site)$/.test(String(request.headers['sec-fetch-site']))) {
    throw new RefusalError({ code: 'forbidden', message: 'pages of others may not archive' });
  }
  await enter(context, deps);
  await archiveTrace(deps, tenant, key, signal);
  return sendJson(context, archivedEnvelope());
}

/** A trace as it was archived, whether it is stored still or not. */
async function archivedTrace(context: Context, deps: QueryDeps): Promise<FastifyReply> {
  const { request, params, tenant, signal } = context;
  const { traceId } = request.params as { traceId: string };
  const key = parsePathTraceId(traceId);
  const raw = boolParam(params, 'raw');
  await enter(context, deps);
  const traces = asStored(getArchived(deps.select, tenant, [key], signal, deps.memory));
  return await sendTraces(context, deps, [key], traces, raw, allFound);
}
