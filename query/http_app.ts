// An HTTP server's routes before any API is there: limits, headers that all answers have, what is
// said where nothing answers, and how long answers take.

import fastify, { type FastifyInstance } from 'fastify';
import type { Log } from '../service/log.ts';
import { type HistogramHandle, type Metrics, SECONDS_BUCKETS } from '../service/metrics.ts';

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

export type RequestSeconds = HistogramHandle<'route' | 'status'>;

/** Once a process, whatever the number of its servers. */
export function requestSeconds(metrics: Metrics): RequestSeconds {
  return metrics.histogram(
    'spanhouse_query_request_seconds',
    'Time from a query request to the end of its answer.',
    ['route', 'status'],
    SECONDS_BUCKETS,
  );
}

export function createHttpApp(log: Log, seconds: RequestSeconds): FastifyInstance {
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
  // Routes are ours and few, so they can be a label; a path that came in never is one.
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    seconds.observe({ route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
    done();
  });
  // Go's words, and its type: some tools tell a missing API from a missing trace by them.
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).type('text/plain; charset=utf-8').send('404 page not found\n'),
  );
  app.setErrorHandler((error, _request, reply) => {
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    if (status >= 500) log.error('a query failed', { error });
    const message = status >= 500 ? 'an error of ours, which has been logged' : 'bad request';
    return reply.code(status).type('text/plain; charset=utf-8').send(`${message}\n`);
  });
  return app;
}
