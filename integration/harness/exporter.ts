// The least that an OTLP exporter does: sends request bytes and says what the answer was.
import { Agent } from 'node:http';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { call } from './http.ts';
import { decodeResponse, type PartialSuccess } from './otlp.ts';

const TIMEOUT_MS = 30_000;

/** 'retry' where OTLP 1.11 lets a client send the same bytes again: answers so marked, broken links. */
export type Outcome =
  | { readonly kind: 'ok'; readonly partial: PartialSuccess }
  | { readonly kind: 'retry'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

export interface Exporter {
  export(request: Uint8Array): Promise<Outcome>;
  close(): void;
}

const RETRYABLE_HTTP: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** `base` is e.g. http://127.0.0.1:4318. One connection, kept alive, as the SDKs do. */
export function httpExporter(base: string): Exporter {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    async export(request) {
      try {
        const answer = await call(`${base}/v1/traces`, {
          body: request,
          headers: { 'content-type': 'application/x-protobuf' },
          agent,
          timeoutMs: TIMEOUT_MS,
        });
        if (answer.status === 200) return { kind: 'ok', partial: decodeResponse(answer.body) };
        const kind = RETRYABLE_HTTP.has(answer.status) ? 'retry' : 'refused';
        return { kind, reason: `HTTP ${answer.status}` };
      } catch (error) {
        return { kind: 'retry', reason: String(error) };
      }
    },
    close: () => agent.destroy(),
  };
}

// CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS.
const RETRYABLE_GRPC: ReadonlySet<number> = new Set([1, 4, 10, 11, 14, 15]);
const EXPORT_PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/** `address` is host:port. */
export function grpcExporter(address: string): Exporter {
  const client = new Client(address, credentials.createInsecure(), {
    // A killed server is back within a second or two; do not wait longer between attempts.
    'grpc.max_reconnect_backoff_ms': 500,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.use_local_subchannel_pool': 1,
  });
  const identity = (bytes: Buffer) => bytes;
  return {
    export: (request) =>
      new Promise((resolve) => {
        const done = (error: ServiceError | null, response?: Buffer) => {
          if (error === null) {
            resolve({ kind: 'ok', partial: decodeResponse(response ?? Buffer.alloc(0)) });
          } else {
            const kind = RETRYABLE_GRPC.has(error.code) ? 'retry' : 'refused';
            resolve({ kind, reason: `gRPC ${error.code} ${error.details}` });
          }
        };
        const deadline = Date.now() + TIMEOUT_MS;
        client.makeUnaryRequest(
          EXPORT_PATH,
          identity,
          identity,
          Buffer.from(request),
          { deadline },
          done,
        );
      }),
    close: () => client.close(),
  };
}
