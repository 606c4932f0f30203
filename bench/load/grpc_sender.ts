// OTLP/gRPC on node:http2 by hand: a client library would spend more CPU than some servers under
// test. Request: one message, `0x00 length(uint32, big endian) bytes`; the outcome stands in the
// trailers.

import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { decodePartialSuccess } from '../../cli/demo/partial_success.ts';
import type { LoadOptions, Sender, SendOutcome } from './options.ts';

const METHOD = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const PREFIX_BYTES = 5;

/** Opens the shared connections; senders take them in turn. */
export function openGrpcSenders(options: LoadOptions): Sender[] {
  const origin = `http://${options.host}:${options.port}`;
  const sessions = Array.from({ length: options.connections }, () => new Session(origin));
  return Array.from({ length: options.senders }, (_, i) => {
    const session = sessions[i % sessions.length]!;
    return { send: (body) => send(session, body), close: () => session.close() };
  });
}

/** A connection that is opened again when the server has closed it (age, restart). */
class Session {
  readonly #origin: string;
  #http2: ClientHttp2Session | undefined;

  constructor(origin: string) {
    this.#origin = origin;
  }

  open(): ClientHttp2Session {
    if (this.#http2 !== undefined && !this.#http2.closed && !this.#http2.destroyed) {
      return this.#http2;
    }
    this.#http2 = connect(this.#origin);
    // Streams report what goes wrong; this one only must not end the process.
    this.#http2.on('error', () => undefined);
    return this.#http2;
  }

  close(): void {
    this.#http2?.close();
  }
}

function send(session: Session, body: Uint8Array): Promise<SendOutcome> {
  return new Promise((resolve) => {
    const stream = session.open().request({
      ':method': 'POST',
      ':path': METHOD,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let status: IncomingHttpHeaders = {};
    const take = (headers: IncomingHttpHeaders): void => {
      if (headers['grpc-status'] !== undefined) status = headers;
    };
    stream.on('response', take);
    stream.on('trailers', take);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => undefined);
    stream.on('close', () => resolve(outcome(status, Buffer.concat(chunks), stream.rstCode)));
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt32BE(body.length, 1);
    stream.write(prefix);
    stream.end(body);
  });
}

function outcome(status: IncomingHttpHeaders, body: Buffer, resetCode: number): SendOutcome {
  const code = status['grpc-status'];
  if (code === '0') {
    return { ok: true, rejected: decodePartialSuccess(body.subarray(PREFIX_BYTES)).rejected };
  }
  const failure = code === undefined ? `HTTP/2 reset ${resetCode}` : `gRPC ${String(code)}`;
  return { ok: false, failure, retryAfterMs: 0 };
}
