// Zipkin over HTTP: POST /api/v2/spans and /api/v1/spans. One ladder: path → method → encoding →
// body → format → OTLP → accept → 202. Answers are plain text, as Zipkin's are.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { DEFAULT_TENANT, REQUEST_BYTES_MAX } from '../../model/limits.ts';
import type { MemoryBudget } from '../../service/memory_budget.ts';
import { REFUSAL_WIRE, type Refusal, RefusalError } from '../../service/refusal.ts';
import type { Accept } from '../batch.ts';
import type { JsonTranscoder } from '../json_worker.ts';
import { contentEncoding } from './content_encoding.ts';
import { cors } from './cors.ts';
import { BodyGone, readBody } from './http_body.ts';
import { reply } from './http_reply.ts';
import { inflate } from './inflate.ts';
import type { Outcome, ReceiverMetrics } from './receiver_metrics.ts';
import { refusalOf } from './refusal_status.ts';
import { Reservation } from './reservation.ts';
import { zipkinFormat } from './zipkin_format.ts';

const RECEIVER = 'zipkin_http';

export interface ZipkinHttpDeps {
  readonly accept: Accept;
  readonly budget: MemoryBudget;
  readonly metrics: ReceiverMetrics;
  /** Zipkin's formats to OTLP, off the event loop when large (collector/json_worker.ts). */
  readonly json: JsonTranscoder;
  /** Told what was thrown and is no refusal; the client has got a 500. */
  readonly onBug: (error: unknown) => void;
  /** Cap of a body, on the wire and inflated. */
  readonly requestBytesMax?: number;
  /** Answers what only reads (GET and HEAD), where a process does that on this port, too. */
  readonly otherwise?: (request: IncomingMessage, response: ServerResponse) => void;
  /** Origins whose pages may send spans. None by default. */
  readonly corsOrigins?: readonly string[];
}

/** Answers every request, whatever its path; never rejects. */
export function zipkinHttpHandler(
  deps: ZipkinHttpDeps,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    // Before CORS: those who may send spans may not read them.
    if (deps.otherwise !== undefined && isReading(request)) {
      deps.otherwise(request, response);
      return;
    }
    if (cors(request, response, deps.corsOrigins ?? [])) return;
    if (replyAbout(request, response)) return;
    const reservation = new Reservation(deps.budget);
    const gone = new AbortController();
    // A reset at any later moment is no error of ours.
    request.on('error', () => undefined);
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    try {
      const outcome = await receive(request, deps, reservation, gone.signal);
      reply(request, response, { status: 202, contentType: TEXT, body: '' });
      deps.metrics.request(RECEIVER, outcome);
    } catch (error) {
      if (error instanceof BodyGone) {
        deps.metrics.request(RECEIVER, 'gone');
        return;
      }
      const refusal = refusalOf(error, deps.onBug);
      replyRefused(request, response, refusal);
      deps.metrics.request(RECEIVER, gone.signal.aborted ? 'gone' : refusal.code);
    } finally {
      reservation.close();
    }
  };
}

function isReading({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** The ladder. Throws RefusalError from every rung, and BodyGone. */
async function receive(
  request: IncomingMessage,
  deps: ZipkinHttpDeps,
  reservation: Reservation,
  signal: AbortSignal,
): Promise<Outcome> {
  const version = versionOf(request);
  checkMethod(request, version);
  const encoding = contentEncoding(request);
  const bytesMax = deps.requestBytesMax ?? REQUEST_BYTES_MAX;
  const body = await readBody(request, bytesMax, reservation);
  deps.metrics.receivedBytes(RECEIVER, body.length);
  const sent = body.bytes();
  const inflated = await inflate(sent, encoding, bytesMax, reservation);
  if (inflated !== sent) body.drop();
  const format = zipkinFormat(inflated, version);
  if (format === undefined) return 'ok';
  const bytes = await deps.json.toProto(inflated, reservation, signal, format);
  // An empty list: reporters that are flushed idle send one.
  if (bytes.length === 0) return 'ok';
  const accepted = await deps.accept({ tenant: DEFAULT_TENANT, bytes, receiver: RECEIVER, signal });
  return accepted.rejected > 0 ? 'partial' : 'ok';
}

/** Reporters that join addresses carelessly send `//api/v2/spans` and `/api/v2/spans/`. */
function versionOf(request: IncomingMessage): 1 | 2 {
  const path = pathOf(request);
  if (path === '/api/v2/spans') return 2;
  if (path === '/api/v1/spans') return 1;
  throw new RefusalError({
    code: 'not_found',
    message: 'this port takes Zipkin spans only: POST them to /api/v2/spans or /api/v1/spans',
  });
}

function pathOf(request: IncomingMessage): string {
  const path = (request.url ?? '').split('?', 1)[0] as string;
  return path.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
}

function checkMethod(request: IncomingMessage, version: 1 | 2): void {
  if (request.method === 'POST') return;
  throw new RefusalError({
    code: 'method',
    message: `/api/v${version}/spans takes POST only: send a list of spans as the body`,
  });
}

const TEXT = 'text/plain; charset=utf-8';

const UP = JSON.stringify({ status: 'UP', zipkin: { status: 'UP', details: {} } });
const INFO = JSON.stringify({ zipkin: { version: 'spanhouse' } });

/** What probes and reporters ask of a Zipkin server before they send. */
function replyAbout(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.method !== 'GET') return false;
  const path = pathOf(request);
  const body = path === '/health' ? UP : path === '/info' ? INFO : undefined;
  if (body === undefined) return false;
  reply(request, response, { status: 200, contentType: 'application/json', body });
  return true;
}

/** The sentence and no more; nothing of it is HTML, whatever a browser thinks. */
function replyRefused(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const headers: Record<string, string> = {};
  if (refusal.code === 'method') headers['allow'] = 'POST';
  if (refusal.retryAfterMs !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(refusal.retryAfterMs / 1000)));
  }
  reply(request, response, {
    status: REFUSAL_WIRE[refusal.code].http,
    contentType: TEXT,
    body: `${refusal.message}\n`,
    headers,
  });
}
