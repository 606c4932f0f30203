// Our own HTTP API, under /api/x: what the others have no question for. docs/API.md shows it.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { RefusalError } from '../../../service/refusal.ts';
import { analyseCohort, COHORT_TRACES_MAX } from '../../analyse.ts';
import { COLUMNS_FACTOR } from '../../answer_memory.ts';
import type { FindQuery } from '../../find.ts';
import {
  type Context,
  enter,
  nowUnixNanos,
  type QueryDeps,
  sendText,
  serve,
} from '../../http_answer.ts';
import { parseSearch } from '../jaeger/search_params.ts';
import { contributionsJson } from './contributions_json.ts';

const JSON_TYPE = 'application/json';

export function registerSpanhouse(app: FastifyInstance, deps: QueryDeps): void {
  app.get('/api/x/contributions', (request, reply) =>
    serve(request, reply, deps, (context) => contributions(context, deps), sendError),
  );
}

async function contributions(context: Context, deps: QueryDeps): Promise<FastifyReply> {
  const query = parseCohort(context.params, context.tenant, nowUnixNanos(deps.clock));
  await enter(context, deps);
  const held = deps.memory.hold(COLUMNS_FACTOR);
  try {
    const cohort = await analyseCohort(deps.select, query, held, context.signal);
    return sendText(context, JSON_TYPE, contributionsJson(query, cohort));
  } finally {
    held.free();
  }
}

/** As a search of Jaeger's classic API, but `limit` bounds the traces that are analysed. */
function parseCohort(params: URLSearchParams, tenant: string, now: bigint): FindQuery {
  const search = new URLSearchParams(params);
  for (const name of ['traceID', 'cursor', 'count']) {
    if (search.has(name)) {
      refuse(`'${name}' is not taken here: a search is, by service, operation, tags and durations`);
    }
  }
  const limit = limitOf(search.get('limit') ?? '');
  search.delete('limit');
  const asked = parseSearch(search, tenant, now);
  if (asked.type !== 'find') return refuse('expected a search');
  return { ...asked.query, limit };
}

function limitOf(text: string): number {
  if (text === '') return COHORT_TRACES_MAX;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= COHORT_TRACES_MAX) return limit;
  const shown = JSON.stringify(text.slice(0, 32));
  return refuse(`'limit' should be a number from 1 to ${COHORT_TRACES_MAX}, received ${shown}`);
}

function refuse(message: string): never {
  throw new RefusalError({ code: 'malformed', message });
}

function sendError(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply
    .code(status)
    .type(JSON_TYPE)
    .send(JSON.stringify({ error: { status, message } }));
}
