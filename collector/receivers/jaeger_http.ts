// Jaeger's Thrift over HTTP: POST /api/traces, a jaeger.thrift Batch as the body. Answers are those of
// Jaeger's collector: 202 and nothing else, or a sentence as text. One ladder: path → method →
// content type → encoding → body → Thrift to OTLP → accept → reply.
// GET /api/sampling is answered here too, as Jaeger's collector did.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ThriftProtocol, thriftToOtlp } from '../../model/codec/jaeger/thrift_to_otlp.ts';
import { DEFAULT_TENANT, REQUEST_BYTES_MAX } from '../../model/limits.ts';
import { type HttpListenerOptions, type Listener, openHttp } from '../../service/http_listener.ts';
import type { MemoryBudget } from '../../service/memory_budget.ts';
import { REFUSAL_WIRE, type Refusal, RefusalError } from '../../service/refusal.ts';
import type { Accept, Accepted } from '../batch.ts';
import { contentEncoding } from './content_encoding.ts';
import { BodyGone, readBody } from './http_body.ts';
import { reply } from './http_reply.ts';
import { inflate } from './inflate.ts';
import { JAEGER_BATCH_BYTES_MAX } from './jaeger_limits.ts';
import { translate } from './jaeger_translate.ts';
import type { ReceiverMetrics } from './receiver_metrics.ts';
import { refusalOf } from './refusal_status.ts';
import { Reservation } from './reservation.ts';
import type { StrategyOf } from './sampling_http.ts';
import { answerSampling } from './sampling_http.ts';

const RECEIVER = 'jaeger_http';

const PATH = '/api/traces';
const SAMPLING_PATH = '/api/sampling';

export interface JaegerHttpDeps {
  readonly accept: Accept;
  readonly budget: MemoryBudget;
  readonly metrics: ReceiverMetrics;
  readonly strategyOf: StrategyOf;
  /** Told what was thrown and is no refusal; the client has got a 500. */
  readonly onBug: (error: unknown) => void;
  /** Cap of a body, on the wire and inflated, where it is below JAEGER_BATCH_BYTES_MAX. */
  readonly requestBytesMax?: number;
}

type Listen = Omit<HttpListenerOptions, 'handler' | 'onBug'>;

/** Resolves when the port is open. Throws ListenError (service/listen.ts). */
export function startJaegerHttp(deps: JaegerHttpDeps, listen: Listen): Promise<Listener> {
  return openHttp({ ...listen, handler: jaegerHttpHandler(deps), onBug: deps.onBug });
}

/** Answers every request, whatever its path; never rejects. */
export function jaegerHttpHandler(
  deps: JaegerHttpDeps,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    if (pathOf(request) === SAMPLING_PATH) {
      answerSampling(request, response, deps.strategyOf);
      return;
    }
    const reservation = new Reservation(deps.budget);
    const gone = new AbortController();
    // A reset at any later moment is no error of ours.
    request.on('error', () => undefined);
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    try {
      const accepted = await receive(request, deps, reservation, gone.signal);
      reply(request, response, { status: 202, contentType: 'text/plain', body: '' });
      deps.metrics.request(RECEIVER, accepted.rejected > 0 ? 'partial' : 'ok');
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

/** The ladder. Throws RefusalError from every rung, and BodyGone. */
async function receive(
  request: IncomingMessage,
  deps: JaegerHttpDeps,
  reservation: Reservation,
  signal: AbortSignal,
): Promise<Accepted> {
  checkPath(request);
  checkMethod(request);
  const protocol = protocolOf(request);
  const encoding = contentEncoding(request);
  const requestMax = deps.requestBytesMax ?? REQUEST_BYTES_MAX;
  const bytesMax = Math.min(requestMax, JAEGER_BATCH_BYTES_MAX);
  const body = await readBody(request, bytesMax, reservation);
  deps.metrics.receivedBytes(RECEIVER, body.length);
  const sent = body.bytes();
  const inflated = await inflate(sent, encoding, bytesMax, reservation);
  if (inflated !== sent) body.drop();
  const bytes = translate(inflated, reservation, (thrift) =>
    thriftToOtlp(thrift, protocol, requestMax),
  );
  return deps.accept({ tenant: DEFAULT_TENANT, bytes, receiver: RECEIVER, signal });
}

function pathOf(request: IncomingMessage): string {
  const path = (request.url ?? '').split('?', 1)[0] as string;
  return path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
}

function checkPath(request: IncomingMessage): void {
  if (pathOf(request) === PATH) return;
  throw new RefusalError({
    code: 'not_found',
    message: `this port takes Jaeger's Thrift: POST a Batch to ${PATH}`,
  });
}

function checkMethod(request: IncomingMessage): void {
  if (request.method === 'POST') return;
  throw new RefusalError({
    code: 'method',
    message: `${PATH} takes POST only: send a Thrift Batch as the body`,
  });
}

/** x-thrift is binary to Jaeger; senders of compact bytes under that name are understood as well. */
const PROTOCOLS: ReadonlyMap<string, ThriftProtocol> = new Map([
  ['application/x-thrift', 'either'],
  ['application/vnd.apache.thrift.binary', 'binary'],
  ['application/vnd.apache.thrift.compact', 'compact'],
]);

function protocolOf(request: IncomingMessage): ThriftProtocol {
  const header = request.headers['content-type'] ?? '';
  const protocol = PROTOCOLS.get((header.split(';', 1)[0] as string).trim().toLowerCase());
  if (protocol !== undefined) return protocol;
  throw new RefusalError({
    code: 'unsupported',
    message: `the content type must be one of ${[...PROTOCOLS.keys()].join(', ')}`,
  });
}

/** Jaeger says 400 where others say 415, and its clients know nothing else. */
function replyRefused(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const headers: Record<string, string> = {};
  if (refusal.code === 'method') headers['allow'] = 'POST';
  if (refusal.retryAfterMs !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(refusal.retryAfterMs / 1000)));
  }
  reply(request, response, {
    status: refusal.code === 'unsupported' ? 400 : REFUSAL_WIRE[refusal.code].http,
    contentType: 'text/plain; charset=utf-8',
    body: `${prefixOf(refusal)}${refusal.message}\n`,
    headers,
  });
}

function prefixOf({ code }: Refusal): string {
  switch (code) {
    case 'malformed':
    case 'too_large':
      return 'Unable to process request body: ';
    case 'unsupported':
      return 'Unsupported content type: ';
    case 'not_found':
    case 'method':
      return '';
    default:
      return 'Cannot submit Jaeger batch: ';
  }
}
