// What every gRPC method of the query service shares: who asks, until when, in which turn, and how
// messages go out. Messages stay bytes here; the methods know what is in them.

import {
  Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { statusProto } from '../../../../model/codec/otlp/status_proto.ts';
import { WireError, WireReader } from '../../../../model/codec/otlp/wire_reader.ts';
import { REFUSAL_WIRE, type Refusal, RefusalError } from '../../../../service/refusal.ts';
import { type QueryDeps, REQUEST_MS_MAX, STALLED_MS_MAX } from '../../../http_answer.ts';
import { refusalOf } from '../../../refusal_of.ts';

/** One call. */
export interface GrpcCall {
  /** The request as `decode` reads it. Throws RefusalError `malformed` where it cannot be read. */
  readonly read: <T>(decode: (request: WireReader) => T) => T;
  /** Whose spans are asked for; nothing in a request can set it. */
  readonly tenant: string;
  /** Aborted when the client is gone, its deadline has passed or the call takes too long. */
  readonly signal: AbortSignal;
  /** Waits for a turn before dear work. Throws RefusalError `busy`. */
  readonly enter: () => Promise<void>;
}

/** The messages of an answer; the only one of a unary method. */
export type GrpcMethod = (call: GrpcCall) => AsyncIterable<Uint8Array>;

export interface GrpcService {
  /** With its package. */
  readonly name: string;
  readonly unary: Readonly<Record<string, (call: GrpcCall) => Promise<Uint8Array>>>;
  readonly streams: Readonly<Record<string, GrpcMethod>>;
}

/** Told of each call when it has ended; `code` is the name of its status. */
export type Observe = (method: string, code: string, seconds: number) => void;

const asIs = (bytes: Buffer): Buffer => bytes;

/** For `Server.addService`. */
export function definitionOf({ name, unary, streams }: GrpcService): ServiceDefinition {
  const methods = [...Object.keys(unary), ...Object.keys(streams)].map((method) => {
    const definition = {
      path: `/${name}/${method}`,
      requestStream: false,
      responseStream: method in streams,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
      originalName: method,
    };
    return [method, definition] as const;
  });
  return Object.fromEntries(methods);
}

/** For `Server.addService`. */
export function handlersOf(
  service: GrpcService,
  deps: QueryDeps,
  observe: Observe,
): UntypedServiceImplementation {
  const handlers: UntypedServiceImplementation = {};
  for (const [name, method] of Object.entries(service.unary)) {
    handlers[name] = (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => {
      const run = async (asked: GrpcCall): Promise<void> => {
        const message = await method(asked);
        reply(null, asBuffer(message));
      };
      void answer(call, `/${service.name}/${name}`, deps, observe, run, (error) => reply(error));
    };
  }
  for (const [name, method] of Object.entries(service.streams)) {
    handlers[name] = (call: ServerWritableStream<Buffer, Buffer>) => {
      const run = async (asked: GrpcCall): Promise<void> => {
        for await (const message of method(asked)) await write(call, message, asked.signal);
        call.end();
      };
      const fail = (error: GrpcStatus): void => void call.emit('error', error);
      void answer(call, `/${service.name}/${name}`, deps, observe, run, fail);
    };
  }
  return handlers;
}

interface GrpcStatus {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

type AnyCall = ServerUnaryCall<Buffer, Buffer> | ServerWritableStream<Buffer, Buffer>;

async function answer(
  call: AnyCall,
  path: string,
  deps: QueryDeps,
  observe: Observe,
  run: (call: GrpcCall) => Promise<void>,
  fail: (error: GrpcStatus) => void,
): Promise<void> {
  const startMs = performance.now();
  const gone = new AbortController();
  // Also when the deadline has passed: grpc-js has answered DEADLINE_EXCEEDED then.
  call.on('cancelled', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(REQUEST_MS_MAX)]);
  let leave: (() => void) | undefined;
  let code: status = status.OK;
  try {
    await run({
      read: (decode) => decodeRequest(call.request, decode),
      tenant: deps.tenant,
      signal,
      enter: async () => {
        leave = await deps.gate.enter(signal);
      },
    });
  } catch (error) {
    const refusal = refusalOf(error);
    const isGone = gone.signal.aborted;
    if (refusal.code === 'internal' && !isGone) deps.log.error('a query failed', { error });
    const answered = grpcStatus(refusal);
    code = isGone ? status.CANCELLED : answered.code;
    fail(answered);
  } finally {
    leave?.();
    observe(path, status[code], (performance.now() - startMs) / 1000);
  }
}

function decodeRequest<T>(bytes: Uint8Array, decode: (request: WireReader) => T): T {
  try {
    return decode(new WireReader(bytes));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const message = 'The request is not the protobuf message of this method.';
    throw new RefusalError({ code: 'malformed', message }, error);
  }
}

/** Retryable refusals carry a RetryInfo. */
function grpcStatus(refusal: Refusal): GrpcStatus {
  const { message, retryAfterMs } = refusal;
  const code = REFUSAL_WIRE[refusal.code].grpc;
  const metadata = new Metadata();
  if (retryAfterMs !== undefined) {
    const body = statusProto({ code, message, retryAfterMs });
    metadata.set('grpc-status-details-bin', Buffer.from(body));
  }
  return { code, details: message, metadata };
}

const NOT_TAKEN = 'The answer was not taken in time: ask for less, or read it sooner.';

/** One message, and no other until the client's connection has taken it. Throws when it is gone. */
async function write(
  call: ServerWritableStream<Buffer, Buffer>,
  message: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const stop = AbortSignal.any([signal, AbortSignal.timeout(STALLED_MS_MAX)]);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const aborted = (): void => reject(new RefusalError({ code: 'deadline', message: NOT_TAKEN }));
  if (stop.aborted) aborted();
  stop.addEventListener('abort', aborted, { once: true });
  call.write(asBuffer(message), (error?: Error | null) => (error ? reject(error) : resolve()));
  try {
    await promise;
  } finally {
    stop.removeEventListener('abort', aborted);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
