// What Zipkin's page asks before anything else: GET config.json (ui.md §3.3).

import type { FastifyInstance } from 'fastify';
import type { ZipkinSettings } from './routes.ts';

/** The window that the page begins with; Zipkin's default, in milliseconds. */
const PAGE_LOOKBACK_MS = 900_000;
const CACHE = 'max-age=600';

/** Answers `/zipkin/config.json`. */
export function registerUiConfig(app: FastifyInstance, settings: ZipkinSettings): void {
  const config = {
    environment: '',
    queryLimit: 10,
    defaultLookback: Math.min(PAGE_LOOKBACK_MS, settings.lookbackMs),
    searchEnabled: true,
    logsUrl: null,
    supportUrl: null,
    archivePostUrl: null,
    archiveUrl: null,
    dependency: { enabled: true, lowErrorRate: 0.5, highErrorRate: 0.75 },
  };
  app.get('/zipkin/config.json', (_request, reply) =>
    reply
      .header('cache-control', CACHE)
      .type('application/json')
      .send(JSON.stringify(config, null, 2)),
  );
}
