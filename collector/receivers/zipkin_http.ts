// Zipkin over HTTP: POST /api/v2/spans and /api/v1/spans. One ladder: path → method → encoding →
// body → format → OTLP → accept → 202. Answers are plain text, as Zipkin's are.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { REFUSAL_WIRE, type Refusal, RefusalError } from '../../service/refusal.ts';
import type { JsonTranscoder } from '../json_worker.ts';
import { cors } from './cors.ts';
import {
  type HttpProtocol,
  type HttpReceiverDeps,
  pathOf,
  refusalHeaders,
  type Translating,
  takeRequest,
} from './http_ladder.ts';
import { reply } from './http_reply.ts';
import { zipkinFormat } from './zipkin_format.ts';

export interface ZipkinHttpDeps extends HttpReceiverDeps {
  /** Zipkin's formats to OTLP, off the event loop when large (collector/json_worker.ts). */
  readonly json: JsonTranscoder;
  /** Answers what only reads (GET and HEAD), where a process does that on this port, too. */
  readonly otherwise?: (request: IncomingMessage, response: ServerResponse) => void;
  /** Origins whose pages may send spans. None by default. */
  readonly corsOrigins?: readonly string[];
}

/** Answers every request, whatever its path; never rejects. */
export function zipkinHttpHandler(
  deps: ZipkinHttpDeps,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const protocol: HttpProtocol<1 | 2> = {
    receiver: 'zipkin_http',
    head: (request) => {
      const version = versionOf(request);
      checkMethod(request, version);
      return version;
    },
    translate: (body, version, context) => translate(deps.json, body, version, context),
    replyAccepted: (request, response) =>
      reply(request, response, { status: 202, contentType: TEXT, body: '' }),
    replyRefused,
  };
  return async (request, response) => {
    // Before CORS: those who may send spans may not read them.
    if (deps.otherwise !== undefined && isReading(request)) {
      deps.otherwise(request, response);
      return;
    }
    if (cors(request, response, deps.corsOrigins ?? [])) return;
    if (replyAbout(request, response)) return;
    await takeRequest(request, response, deps, protocol);
  };
}

function isReading({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** Undefined for no spans: reporters that are flushed idle send an empty list, or nothing. */
async function translate(
  json: JsonTranscoder,
  body: Uint8Array<ArrayBuffer>,
  version: 1 | 2,
  { reservation, signal }: Translating,
): Promise<Uint8Array | undefined> {
  const format = zipkinFormat(body, version);
  if (format === undefined) return undefined;
  const bytes = await json.toProto(body, reservation, signal, format);
  return bytes.length === 0 ? undefined : bytes;
}

function versionOf(request: IncomingMessage): 1 | 2 {
  const path = pathOf(request);
  if (path === '/api/v2/spans') return 2;
  if (path === '/api/v1/spans') return 1;
  throw new RefusalError({
    code: 'not_found',
    message: 'this port takes Zipkin spans only: POST them to /api/v2/spans or /api/v1/spans',
  });
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
  reply(request, response, {
    status: REFUSAL_WIRE[refusal.code].http,
    contentType: TEXT,
    body: `${refusal.message}\n`,
    headers: refusalHeaders(refusal),
  });
}
