// Writing an answer so that it arrives: also while the client is still sending.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { declaredLength } from './http_body.ts';

/**
 * A client that is refused early may go on sending so much, which is thrown away; then it is held
 * back, and after so long it is cut off. Not at once: a close with unread bytes is a TCP reset,
 * which can destroy the answer before the client has read it.
 */
const LINGER_BYTES = 256 * 1024;
const LINGER_MS = 1000;

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers; the connection is kept when the body was read, or what is left of it is small. */
export function reply(request: IncomingMessage, response: ServerResponse, answer: Reply): void {
  if (response.destroyed || response.headersSent) return;
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  const unread = !request.complete || request.readableLength > 0;
  const keep = !unread || restIsSmall(request);
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': body.length,
    'x-content-type-options': 'nosniff',
    ...answer.headers,
    ...(keep ? {} : { connection: 'close' }),
  });
  if (!unread) {
    response.end(body);
    return;
  }
  // The answer is whole on the wire now; ending the response would close the socket.
  response.write(body);
  linger(request, response);
}

function restIsSmall(request: IncomingMessage): boolean {
  const chunked = request.headers['transfer-encoding'] !== undefined;
  return !chunked && declaredLength(request) <= LINGER_BYTES;
}

function linger(request: IncomingMessage, response: ServerResponse): void {
  let discarded = 0;
  const timer = setTimeout(cut, LINGER_MS);
  function done(): void {
    clearTimeout(timer);
    response.end();
  }
  function cut(): void {
    clearTimeout(timer);
    response.end();
    request.destroy();
  }
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > LINGER_BYTES) request.pause();
  });
  request.once('end', done);
  request.once('close', () => clearTimeout(timer));
  request.on('error', cut);
  request.resume();
}
