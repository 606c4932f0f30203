// The three answers to a gRPC call on a bare stream: a message with OK behind it, a refusal without
// a message (Trailers-Only), and HTTP's own status for what is no gRPC.

import type { ServerHttp2Stream } from 'node:http2';
import { statusProto } from '../../model/codec/otlp/status_proto.ts';
import type { Refusal } from '../../service/refusal.ts';
import { GRPC_ENCODINGS } from './grpc_headers.ts';
import { refusalStatus } from './refusal_status.ts';

const TYPE = 'application/grpc+proto';

/** No date: it costs a header in each answer, and no gRPC client reads it. */
const NO_DATE = { sendDate: false } as const;

const PREFIX_BYTES = 5;

export function answerMessage(stream: ServerHttp2Stream, message: Uint8Array): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond(
    { ':status': 200, 'content-type': TYPE, 'grpc-accept-encoding': GRPC_ENCODINGS },
    { waitForTrailers: true, ...NO_DATE },
  );
  stream.once('wantTrailers', sendOk);
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  stream.end(frame);
}

function sendOk(this: ServerHttp2Stream): void {
  this.sendTrailers({ 'grpc-status': '0' });
}

/** Retryable refusals carry a RetryInfo; the others must not, or clients would send again. */
export function answerRefusal(stream: ServerHttp2Stream, refusal: Refusal): void {
  if (stream.destroyed || stream.closed) return;
  const body = refusalStatus(refusal);
  const headers = {
    ':status': 200,
    'content-type': TYPE,
    'grpc-accept-encoding': GRPC_ENCODINGS,
    'grpc-status': String(body.code),
    // Percent-encoded: what is no printable ASCII, and the percent sign.
    'grpc-message': encodeURI(body.message.toWellFormed()),
    'grpc-status-details-bin': Buffer.from(statusProto(body)).toString('base64'),
  };
  stream.respond(headers, { endStream: true, ...NO_DATE });
}

export function answerStatus(stream: ServerHttp2Stream, status: number): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond({ ':status': status }, { endStream: true, ...NO_DATE });
}
