// OTLP over HTTP: POST /v1/traces, protobuf or JSON. One ladder: path → method → content type →
// encoding → body → (JSON to protobuf) → accept → reply. Every rung refuses with a RefusalError.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportResponseJson, exportResponseProto } from '../../model/codec/otlp/export_response.ts';
import { statusJson, statusProto } from '../../model/codec/otlp/status_proto.ts';
import { DEFAULT_TENANT, REQUEST_BYTES_MAX } from '../../model/limits.ts';
import { type HttpListenerOptions, type Listener, openHttp } from '../../service/http_listener.ts';
import type { MemoryBudget } from '../../service/memory_budget.ts';
import { REFUSAL_WIRE, type Refusal, RefusalError } from '../../service/refusal.ts';
import type { Accept, Accepted } from '../batch.ts';
import type { JsonTranscoder } from '../json_worker.ts';
import { contentEncoding } from './content_encoding.ts';
import { cors } from './cors.ts';
import { BodyGone, readBody } from './http_body.ts';
import { reply } from './http_reply.ts';
import { inflate } from './inflate.ts';
import type { ReceiverMetrics } from './receiver_metrics.ts';
import { refusalOf, refusalStatus } from './refusal_status.ts';
import { Reservation } from './reservation.ts';

const RECEIVER = 'otlp_http';

const PATH = '/v1/traces';

export interface OtlpHttpDeps {
  readonly accept: Accept;
  readonly budget: MemoryBudget;
  readonly metrics: ReceiverMetrics;
  /** OTLP/JSON to protobuf, off the event loop when large (collector/json_worker.ts). */
  readonly json: JsonTranscoder;
  /** Told what was thrown and is no refusal; the client has got a 500. */
  readonly onBug: (error: unknown) => void;
  /** Cap of a body, on the wire and inflated. */
  readonly requestBytesMax?: number;
  /** Origins whose pages may send spans, e.g. `https://shop.example`. None by default. */
  readonly corsOrigins?: readonly string[];
}

type Listen = Omit<HttpListenerOptions, 'handler' | 'onBug'>;

/** Resolves when the port is open. Throws ListenError (service/listen.ts). */
export function startOtlpHttp(deps: OtlpHttpDeps, listen: Listen): Promise<Listener> {
  return openHttp({ ...listen, handler: otlpHttpHandler(deps), onBug: deps.onBug });
}

/** Answers every request, whatever its path; never rejects. */
export function otlpHttpHandler(
  deps: OtlpHttpDeps,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    if (cors(request, response, deps.corsOrigins ?? [])) return;
    const reservation = new Reservation(deps.budget);
    const gone = new AbortController();
    // A reset at any later moment is no error of ours.
    request.on('error', () => undefined);
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    try {
      const accepted = await receive(request, deps, reservation, gone.signal);
      replyAccepted(request, response, accepted);
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
  deps: OtlpHttpDeps,
  reservation: Reservation,
  signal: AbortSignal,
): Promise<Accepted> {
  checkPath(request);
  checkMethod(request);
  const type = bodyType(request);
  if (type === undefined) throw unsupportedType();
  const encoding = contentEncoding(request);
  const bytesMax = deps.requestBytesMax ?? REQUEST_BYTES_MAX;
  const body = await readBody(request, bytesMax, reservation);
  deps.metrics.receivedBytes(RECEIVER, body.length);
  const sent = body.bytes();
  const inflated = await inflate(sent, encoding, bytesMax, reservation);
  if (inflated !== sent) body.drop();
  const bytes =
    type === 'json' && inflated.length > 0
      ? await deps.json.toProto(inflated, reservation, signal)
      : inflated;
  return deps.accept({ tenant: DEFAULT_TENANT, bytes, receiver: RECEIVER, signal });
}

/** Clients that join addresses carelessly send `//v1/traces` and `/v1/traces/`. */
function checkPath(request: IncomingMessage): void {
  const path = (request.url ?? '').split('?', 1)[0] as string;
  if (path === PATH || path.replace(/\/{2,}/g, '/').replace(/\/$/, '') === PATH) return;
  throw new RefusalError({
    code: 'not_found',
    message: 'this port takes OTLP traces only: POST them to /v1/traces',
  });
}

function checkMethod(request: IncomingMessage): void {
  if (request.method === 'POST') return;
  throw new RefusalError({
    code: 'method',
    message: '/v1/traces takes POST only: send an ExportTraceServiceRequest as the body',
  });
}

type BodyType = 'protobuf' | 'json';

/** Undefined when it is neither. Parameters, as in `; charset=utf-8`, change nothing. */
function bodyType(request: IncomingMessage): BodyType | undefined {
  const header = request.headers['content-type'] ?? '';
  const type = (header.split(';', 1)[0] as string).trim().toLowerCase();
  if (type === 'application/x-protobuf') return 'protobuf';
  if (type === 'application/json') return 'json';
  return undefined;
}

function unsupportedType(): RefusalError {
  return new RefusalError({
    code: 'unsupported',
    message: 'the content type must be application/x-protobuf or application/json',
  });
}

const CONTENT_TYPE: Readonly<Record<BodyType, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

function replyAccepted(
  request: IncomingMessage,
  response: ServerResponse,
  accepted: Accepted,
): void {
  const type = bodyType(request) ?? 'json';
  reply(request, response, {
    status: 200,
    contentType: CONTENT_TYPE[type],
    body: type === 'json' ? exportResponseJson(accepted) : exportResponseProto(accepted),
  });
}

/** google.rpc.Status in the request's encoding; JSON to those who sent neither. */
function replyRefused(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const type = bodyType(request) ?? 'json';
  const status = refusalStatus(refusal);
  const headers: Record<string, string> = {};
  if (refusal.code === 'method') headers['allow'] = 'POST';
  if (refusal.retryAfterMs !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(refusal.retryAfterMs / 1000)));
  }
  reply(request, response, {
    status: REFUSAL_WIRE[refusal.code].http,
    contentType: CONTENT_TYPE[type],
    body: type === 'json' ? statusJson(status) : statusProto(status),
    headers,
  });
}
