// OTLP over HTTP: POST /v1/traces, protobuf or JSON. One ladder: path → method → content type →
// encoding → body → (JSON to protobuf) → accept → reply. Every rung refuses with a RefusalError.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportResponseJson, exportResponseProto } from '../../model/codec/otlp/export_response.ts';
import { statusJson, statusProto } from '../../model/codec/otlp/status_proto.ts';
import { type HttpListenerOptions, type Listener, openHttp } from '../../service/http_listener.ts';
import { REFUSAL_WIRE, type Refusal, RefusalError } from '../../service/refusal.ts';
import type { Accepted } from '../batch.ts';
import type { JsonTranscoder } from '../json_worker.ts';
import { cors } from './cors.ts';
import {
  type HttpProtocol,
  type HttpReceiverDeps,
  mediaTypeOf,
  pathOf,
  refusalHeaders,
  takeRequest,
} from './http_ladder.ts';
import { reply } from './http_reply.ts';
import { refusalStatus } from './refusal_status.ts';

const PATH = '/v1/traces';

export interface OtlpHttpDeps extends HttpReceiverDeps {
  /** OTLP/JSON to protobuf, off the event loop when large (collector/json_worker.ts). */
  readonly json: JsonTranscoder;
  /** Origins whose pages may send spans, e.g. `https://shop.example`. None by default. */
  readonly corsOrigins?: readonly string[];
}

type Listen = Omit<HttpListenerOptions, 'handler' | 'onBug'>;

/** Resolves when the port is open. Throws ListenError (service/listen.ts). */
export function startOtlpHttp(deps: OtlpHttpDeps, listen: Listen): Promise<Listener> {
  return openHttp({ ...listen, handler: otlpHttpHandler(deps), onBug: deps.onBug });
}

/** Answers every request, whatever its path; never rejects. */
function otlpHttpHandler(
  deps: OtlpHttpDeps,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const protocol: HttpProtocol<BodyType> = {
    receiver: 'otlp_http',
    head,
    translate: (body, type, { reservation, signal }) =>
      type === 'json' && body.length > 0 ? deps.json.toProto(body, reservation, signal) : body,
    replyAccepted,
    replyRefused,
  };
  return async (request, response) => {
    if (cors(request, response, deps.corsOrigins ?? [])) return;
    await takeRequest(request, response, deps, protocol);
  };
}

function head(request: IncomingMessage): BodyType {
  checkPath(request);
  checkMethod(request);
  const type = bodyType(request);
  if (type === undefined) throw unsupportedType();
  return type;
}

function checkPath(request: IncomingMessage): void {
  if (pathOf(request) === PATH) return;
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

/** Undefined when it is neither. */
function bodyType(request: IncomingMessage): BodyType | undefined {
  const type = mediaTypeOf(request);
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
  reply(request, response, {
    status: REFUSAL_WIRE[refusal.code].http,
    contentType: CONTENT_TYPE[type],
    body: type === 'json' ? statusJson(status) : statusProto(status),
    headers: refusalHeaders(refusal),
  });
}
