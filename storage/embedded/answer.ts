// Answers on the wire, with the headers that clients of ClickHouse look at.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type EngineError, errorBody, httpStatus } from './engine_error.ts';

/** What a request is answered with. */
export interface Answer {
  readonly bytes: Uint8Array;
  readonly format: string;
  readonly summary: Readonly<Record<string, string>>;
}

export function send(response: ServerResponse, answer: Answer): void {
  const type = answer.format.startsWith('JSON')
    ? 'application/json; charset=UTF-8'
    : /^(Native|RowBinary|Arrow|Parquet)/.test(answer.format)
      ? 'application/octet-stream'
      : 'text/plain; charset=UTF-8';
  response.writeHead(200, {
    'Content-Type': type,
    'Content-Length': answer.bytes.byteLength,
    'X-ClickHouse-Format': answer.format,
    'X-ClickHouse-Timezone': 'UTC',
    'X-ClickHouse-Summary': JSON.stringify(answer.summary),
  });
  response.end(answer.bytes);
}

export function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  error: EngineError,
): void {
  if (response.headersSent || response.destroyed) return;
  const body = errorBody(error);
  // What is left of the body is not worth reading; the client must see that nobody does.
  if (!request.complete) response.setHeader('Connection', 'close');
  response.writeHead(httpStatus(error.code), {
    'Content-Type': 'text/plain; charset=UTF-8',
    'Content-Length': Buffer.byteLength(body),
    'X-ClickHouse-Exception-Code': String(error.code),
  });
  response.end(body, () => request.resume());
}

export function sendPlain(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=UTF-8' });
  response.end(body);
}
