// What a Zipkin server answers beside its query API on its own port: health, information, metrics.

import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Metrics } from '../../../service/metrics.ts';
import type { QueryDeps } from '../../http_answer.ts';
import { collectorCounters } from './collector_counters.ts';

const JSON_TYPE = 'application/json';
/** Probes give up after a second or a few. */
const HEALTH_MS_MAX = 3000;

export function registerZipkinServer(
  app: FastifyInstance,
  deps: QueryDeps,
  metrics: Metrics,
  version: string,
): void {
  for (const prefix of ['', '/actuator']) {
    app.get(`${prefix}/health`, (_request, reply) => health(reply, deps));
    app.get(`${prefix}/info`, (_request, reply) =>
      reply.type(JSON_TYPE).send(JSON.stringify({ zipkin: { version: `spanhouse ${version}` } })),
    );
    app.get(`${prefix}/prometheus`, async (_request, reply) =>
      reply.type(metrics.contentType).send(await metrics.expose()),
    );
  }
  app.get('/metrics', async (_request, reply) =>
    reply.type(JSON_TYPE).send(JSON.stringify(collectorCounters(await metrics.expose()))),
  );
}

/** UP when the store answers. */
async function health(reply: FastifyReply, { select, log }: QueryDeps): Promise<FastifyReply> {
  let status = 'UP';
  try {
    await select({ sql: 'SELECT 1 AS one', params: {} }, AbortSignal.timeout(HEALTH_MS_MAX));
  } catch (error) {
    status = 'DOWN';
    log.warn('Zipkin health: the store does not answer', { error });
  }
  const details = { ClickHouse: { status } };
  return reply
    .code(status === 'UP' ? 200 : 503)
    .type(JSON_TYPE)
    .send(JSON.stringify({ status, zipkin: { status, details } }));
}
