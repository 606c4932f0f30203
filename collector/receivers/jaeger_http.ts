// Jaeger's Thrift over HTTP: POST /api/traces, a jaeger.thrift Batch as the body. Answers are those of
// Jaeger's collector: 202 and nothing else, or a sentence as text. One ladder: path → method →
// content type → encoding → body → Thrift to OTLP → accept → reply.
// GET /api/sampling is answered here too, as Jaeger's collector did.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ThriftProtocol, thriftToOtlp } from '../../model/codec/jaeger/thrift_to_otlp.ts';
import { REQUEST_BYTES_MAX } from '../../model/limits.ts';
import { type HttpListenerOptions, type Listener, openHttp } from '../../service/http_listener.ts';
import { REFUSAL_WIRE, type Refusal, RefusalError } from '../../service/refusal.ts';
import {
  type HttpProtocol,
  type HttpReceiverDeps,
  mediaTypeOf,
  pathOf,
  refusalHeaders,
  takeRequest,
} from './http_ladder.ts';
import { reply } from './http_reply.ts';
import { JAEGER_BATCH_BYTES_MAX } from './jaeger_limits.ts';
import { translate } from './jaeger_translate.ts';
import type { StrategyOf } from './sampling_http.ts';
import { answerSampling } from './sampling_http.ts';

const PATH = '/api/traces';
const SAMPLING_PATH = '/api/sampling';

export interface JaegerHttpDeps extends HttpReceiverDeps {
  readonly strategyOf: StrategyOf;
}

type Listen = Omit<HttpListenerOptions, 'handler' | 'onBug'>;

/** Resolves when the port is open. Throws ListenError (service/listen.ts). */
export function startJaegerHttp(deps: JaegerHttpDeps, listen: Listen): Promise<Listener> {
  return openHttp({ ...listen, handler: jaegerHttpHandler(deps), onBug: deps.onBug });
}

/** Answers every request, whatever its path; never rejects. */
function jaegerHttpHandler(
  deps: JaegerHttpDeps,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const requestMax = deps.requestBytesMax ?? REQUEST_BYTES_MAX;
  const protocol: HttpProtocol<ThriftProtocol> = {
    receiver: 'jaeger_http',
    bodyBytesMax: JAEGER_BATCH_BYTES_MAX,
    head: (request) => {
      checkPath(request);
      checkMethod(request);
      return protocolOf(request);
    },
    translate: (body, thriftProtocol, { reservation }) =>
      translate(body, reservation, (thrift) => thriftToOtlp(thrift, thriftProtocol, requestMax)),
    replyAccepted: (request, response) =>
      reply(request, response, { status: 202, contentType: 'text/plain', body: '' }),
    replyRefused,
  };
  return async (request, response) => {
    if (pathOf(request) === SAMPLING_PATH) answerSampling(request, response, deps.strategyOf);
    else await takeRequest(request, response, deps, protocol);
  };
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
  const protocol = PROTOCOLS.get(mediaTypeOf(request));
  if (protocol !== undefined) return protocol;
  throw new RefusalError({
    code: 'unsupported',
    message: `the content type must be one of ${[...PROTOCOLS.keys()].join(', ')}`,
  });
}

/** Jaeger says 400 where others say 415, and its clients know nothing else. */
function replyRefused(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  reply(request, response, {
    status: refusal.code === 'unsupported' ? 400 : REFUSAL_WIRE[refusal.code].http,
    contentType: 'text/plain; charset=utf-8',
    body: `${prefixOf(refusal)}${refusal.message}\n`,
    headers: refusalHeaders(refusal),
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
