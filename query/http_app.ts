// An HTTP server's routes before any API is there: limits, headers that all answers have, what is
// said where nothing answers, and how long answers take.

import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
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

const TEXT_TYPE = 'text/plain; charset=utf-8';

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

/** All routes are there below `basePath`, too: `` or a path such as `/tracing`. */
export function createHttpApp(
  log: Log,
  seconds: RequestSeconds,
  basePath: string,
): FastifyInstance {
  const app = fastify({
    logger: false,
    trustProxy: false,
    bodyLimit: BODY_BYTES_MAX,
    // A path that is none: what came is not sent back.
    frameworkErrors: (_error, _request, reply) => {
      const any = reply as FastifyReply;
      any.code(400).headers(SECURITY_HEADERS).type(TEXT_TYPE).send('bad request\n');
    },
    exposeHeadRoutes: false,
    rewriteUrl: ({ url = '/' }) =>
      isBelow(url, basePath) ? url.slice(basePath.length) || '/' : url,
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
  app.setNotFoundHandler((_request, reply) => notFound(reply));
  app.setErrorHandler((error, _request, reply) => {
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    if (status >= 500) log.error('a query failed', { error });
    const message = status >= 500 ? 'an error of ours, which has been logged' : 'bad request';
    return reply.code(status).type(TEXT_TYPE).send(`${message}\n`);
  });
  return app;
}

/** Go's words, and its type: some tools tell a missing API from a missing trace by them. */
export function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).type(TEXT_TYPE).send('404 page not found\n');
}

function isBelow(url: string, basePath: string): boolean {
  if (basePath === '' || !url.startsWith(basePath)) return false;
  const next = url[basePath.length];
  return next === undefined || next === '/' || next === '?';
}
