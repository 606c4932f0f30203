// Both receivers on free loopback ports with an `accept` that remembers, for tests.

import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { checkTwin } from '../../../model/codec/otlp/twin.ts';
import type { HttpLimits } from '../../../service/http_listener.ts';
import { MemoryBudget } from '../../../service/memory_budget.ts';
import { RefusalError } from '../../../service/refusal.ts';
import type { Accept, Accepted, Batch } from '../../batch.ts';
import { JsonWorker } from '../../json_worker.ts';
import type { GrpcReceiver } from '../grpc_receiver.ts';
import { startOtlpGrpc } from '../otlp_grpc.ts';
import { startOtlpHttp } from '../otlp_http.ts';
import type { Outcome } from '../receiver_metrics.ts';

export interface RigOptions {
  readonly accept?: Accept;
  readonly requestBytesMax?: number;
  readonly memoryBytes?: number;
  readonly bodyTimeMs?: number;
  readonly answerTimeMs?: number;
  readonly httpLimits?: Partial<HttpLimits>;
  readonly corsOrigins?: readonly string[];
}

export interface Rig extends AsyncDisposable {
  readonly batches: Batch[];
  readonly outcomes: Outcome[];
  readonly bugs: unknown[];
  readonly budget: MemoryBudget;
  readonly httpPort: number;
  readonly grpc: GrpcReceiver;
}

const LISTEN = { host: '127.0.0.1', port: 0, setting: 'test' } as const;

const MEMORY_BYTES = 512 * 1024 * 1024;

/** Refuses what is no OTLP, keeps the rest; what `Accept` promises, without a store behind it. */
export function checkingAccept(batches: Batch[]): Accept {
  return async (batch) => {
    const options = { recordUnixNanos: BigInt(Date.now()) * 1_000_000n, maxAgeSeconds: 1e10 };
    const checked = checkTwin(batch.bytes, options);
    if (!checked.ok) throw new RefusalError({ code: 'malformed', message: checked.message });
    batches.push(batch);
    const rejected = Object.values(checked.rejected).reduce((sum, count) => sum + count, 0);
    const message = rejected > 0 ? `${rejected} spans had no valid ids` : '';
    return { spans: checked.spans, rejected, message } satisfies Accepted;
  };
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const batches: Batch[] = [];
  const outcomes: Outcome[] = [];
  const bugs: unknown[] = [];
  const budget = new MemoryBudget(options.memoryBytes ?? MEMORY_BYTES);
  const json = new JsonWorker();
  const deps = {
    ...options,
    accept: options.accept ?? checkingAccept(batches),
    budget,
    json,
    metrics: {
      request: (_receiver: string, outcome: Outcome) => void outcomes.push(outcome),
      receivedBytes: () => undefined,
    },
    onBug: (error: unknown) => void bugs.push(error),
  };
  const http = await startOtlpHttp(deps, { ...LISTEN, limits: options.httpLimits ?? {} });
  const grpc = await startOtlpGrpc(deps, LISTEN);
  return {
    batches,
    outcomes,
    bugs,
    budget,
    httpPort: http.port,
    grpc,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([http.stop(100), grpc.stop(100), json.stop()]);
    },
  };
}

/** POST /v1/traces unless told otherwise. */
export function post(rig: Rig, init: RequestInit & { path?: string }): Promise<Response> {
  const url = `http://127.0.0.1:${rig.httpPort}${init.path ?? '/v1/traces'}`;
  return fetch(url, { method: 'POST', ...init });
}

export const PROTOBUF = { 'content-type': 'application/x-protobuf' };
export const JSON_TYPE = { 'content-type': 'application/json' };

export const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

export interface GrpcAnswer {
  /** grpc-status, -1 when the stream ended without one. */
  readonly code: number;
  readonly details: string;
  /** grpc-status-details-bin. */
  readonly statusBytes: Uint8Array | undefined;
  readonly data: Buffer;
}

export interface GrpcRequest {
  /** DATA bytes, sent as they are; undefined leaves the stream open. */
  readonly frames: readonly Uint8Array[] | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the sending side after the frames; true unless told. */
  readonly end?: boolean;
}

export async function withGrpc<T>(rig: Rig, use: (session: ClientHttp2Session) => Promise<T>) {
  const session = connect(`http://127.0.0.1:${rig.grpc.port}`);
  session.on('error', () => undefined);
  try {
    return await use(session);
  } finally {
    session.destroy();
  }
}

/** One call over raw HTTP/2, so that a test can send what no gRPC client would. */
export function call(session: ClientHttp2Session, request: GrpcRequest): Promise<GrpcAnswer> {
  return new Promise((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': EXPORT,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...request.headers,
    });
    let status: IncomingHttpHeaders = {};
    const data: Buffer[] = [];
    stream.on('response', (headers) => {
      if (headers['grpc-status'] !== undefined) status = headers;
    });
    stream.on('trailers', (trailers) => {
      status = trailers;
    });
    stream.on('data', (chunk: Buffer) => data.push(chunk));
    stream.on('error', () => undefined);
    stream.on('close', () => {
      const bin = status['grpc-status-details-bin'];
      resolve({
        code: Number(status['grpc-status'] ?? -1),
        details: decodeURIComponent(String(status['grpc-message'] ?? '')),
        statusBytes: typeof bin === 'string' ? Buffer.from(bin, 'base64') : undefined,
        data: Buffer.concat(data),
      });
    });
    for (const frame of request.frames ?? []) stream.write(frame);
    if (request.end ?? true) stream.end();
  });
}

/** Length-Prefixed-Message of the gRPC wire format. */
export function framed(message: Uint8Array, compressed = false): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed ? 1 : 0;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
