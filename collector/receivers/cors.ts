// Spans from browsers of other origins: off unless origins are configured, and then only those,
// echoed one by one. Never `*`, never credentials.

import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long a browser may remember the answer; two hours is Chromium's own cap. */
const PREFLIGHT_SECONDS = 7200;

/**
 * Sets the headers of an allowed origin. True when the request was a preflight, which is answered
 * then. Without configured origins nothing is said or done.
 */
export function cors(
  request: IncomingMessage,
  response: ServerResponse,
  origins: readonly string[],
): boolean {
  if (origins.length === 0) return false;
  response.setHeader('vary', 'origin');
  const origin = request.headers.origin;
  if (origin === undefined || !origins.includes(origin)) return false;
  response.setHeader('access-control-allow-origin', origin);
  const wanted = request.headers['access-control-request-method'];
  if (request.method !== 'OPTIONS' || wanted === undefined) return false;
  response.writeHead(204, {
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'content-type, content-encoding',
    'access-control-max-age': String(PREFLIGHT_SECONDS),
  });
  response.end();
  return true;
}
