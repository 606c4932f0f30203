// The query service: reads what is stored, and answers in the APIs that tools already speak.

import type { IncomingMessage, ServerResponse } from 'node:http';
import fastify, { type FastifyInstance } from 'fastify';
import { DEFAULT_TENANT } from '../model/limits.ts';
import { type Clock, systemClock } from '../service/clock.ts';
import { type HttpLimits, type Listener, openHttp } from '../service/http_listener.ts';
import type { ListenAddress } from '../service/listen.ts';
import type { Log } from '../service/log.ts';
import { type Metrics, SECONDS_BUCKETS } from '../service/metrics.ts';
import type { ArchiveWriter } from '../storage/clickhouse/archive.ts';
import { makeSelect, type QueryAccess, type SelectLimits } from '../storage/clickhouse/select.ts';
import { AnswerMemory } from './answer_memory.ts';
import { registerArchive } from './api/jaeger/archive_routes.ts';
import { type JaegerGrpcOptions, startJaegerGrpc } from './api/jaeger/grpc/server.ts';
import { registerJaeger } from './api/jaeger/routes.ts';
import { registerJaegerV3 } from './api/jaeger/v3/routes.ts';
import { Gate } from './gate.ts';
import type { QueryDeps } from './http_answer.ts';
import { type Addresses, landingPage } from './landing.ts';

export interface QueryOptions {
  readonly access: QueryAccess;
  readonly listen: ListenAddress;
  /** Jaeger's gRPC API; none unless told. */
  readonly grpc?: JaegerGrpcOptions;
  readonly log: Log;
  readonly metrics: Metrics;
  /** What one statement may cost; SELECT_LIMITS unless told. */
  readonly selectLimits?: SelectLimits;
  /** Bytes of traces in memory for all answers together; ANSWER_BYTES_MAX unless told. */
  readonly answerBytesMax?: number;
  readonly http?: Partial<HttpLimits>;
  /** Host names beside the loopback ones that a loopback listener answers to. */
  readonly allowedHosts?: readonly string[];
  /** Ports of the receivers in this process, for the page at `/`. */
  readonly otlp?: Omit<Addresses, 'queryPort'>;
  readonly clock?: Clock;
  /** Writes what is archived; without it nothing can be. */
  readonly archive?: ArchiveWriter;
  /** Whose spans are shown; DEFAULT_TENANT unless told. */
  readonly tenant?: string;
}

/** Reading needs no bodies; a POST to a path that is not there may bring this much. */
const BODY_BYTES_MAX = 64 * 1024;
/** Longer parts of a path cannot be a service: its name is cut at 255 bytes when it is stored. */
const PATH_PARAM_CHARS_MAX = 1024;

/** No page of ours loads, frames or runs anything; nothing here is meant for other origins. */
const SECURITY_HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export interface QueryListeners extends Listener {
  /** Of Jaeger's gRPC API, where it was asked for. */
  readonly grpc?: Listener;
}

/** Resolves when the ports are open. Throws ListenError (service/listen.ts). */
export async function startQuery(options: QueryOptions): Promise<QueryListeners> {
  const deps = depsOf(options);
  const app = createApp(options, deps);
  const listener = await openQuery(app, options);
  const stop = async (graceMs: number): Promise<void> => {
    await listener.stop(graceMs);
    await app.close();
  };
  if (options.grpc === undefined) return { ...listener, stop };
  try {
    const grpc = await startJaegerGrpc(deps, options.metrics, options.grpc);
    return {
      ...listener,
      grpc,
      stop: async (graceMs) => {
        await Promise.all([stop(graceMs), grpc.stop(graceMs)]);
      },
    };
  } catch (error) {
    await stop(0);
    throw error;
  }
}

async function openQuery(app: FastifyInstance, options: QueryOptions): Promise<Listener> {
  let queryPort = options.listen.port;
  app.get('/', (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(landingPage({ ...options.otlp, queryPort })),
  );
  await app.ready();
  const listener = await openHttp({
    ...options.listen,
    handler: (request: IncomingMessage, response: ServerResponse) => app.routing(request, response),
    note: (message) => options.log.info(message),
    onBug: (error) => options.log.error('a query failed', { error }),
    ...(options.http === undefined ? {} : { limits: options.http }),
    ...(options.allowedHosts === undefined ? {} : { allowedHosts: options.allowedHosts }),
  });
  queryPort = listener.port;
  return listener;
}

function createApp(options: QueryOptions, deps: QueryDeps): FastifyInstance {
  const app = fastify({
    logger: false,
    trustProxy: false,
    bodyLimit: BODY_BYTES_MAX,
    exposeHeadRoutes: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: PATH_PARAM_CHARS_MAX },
  });
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    done();
  });
  measure(app, options.metrics);
  // Go's words, and its type: some tools tell a missing API from a missing trace by them.
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).type('text/plain; charset=utf-8').send('404 page not found\n'),
  );
  app.setErrorHandler((error, _request, reply) => {
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    if (status >= 500) options.log.error('a query failed', { error });
    const message = status >= 500 ? 'an error of ours, which has been logged' : 'bad request';
    return reply.code(status).type('text/plain; charset=utf-8').send(`${message}\n`);
  });
  registerJaeger(app, deps);
  registerArchive(app, deps);
  registerJaegerV3(app, deps);
  return app;
}

function depsOf(options: QueryOptions): QueryDeps {
  return {
    select: makeSelect(options.access, options.selectLimits),
    gate: new Gate(),
    memory: new AnswerMemory(options.answerBytesMax),
    tenant: options.tenant ?? DEFAULT_TENANT,
    clock: options.clock ?? systemClock,
    log: options.log,
    ...(options.archive === undefined ? {} : { archive: options.archive }),
  };
}

/** Routes are ours and few, so they can be a label; a path that came in never is one. */
function measure(app: FastifyInstance, metrics: Metrics): void {
  const seconds = metrics.histogram(
    'spanhouse_query_request_seconds',
    'Time from a query request to the end of its answer.',
    ['route', 'status'],
    SECONDS_BUCKETS,
  );
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    seconds.observe({ route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
    done();
  });
}
