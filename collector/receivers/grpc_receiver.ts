// What every receiver over gRPC has in common: a method that accepts batches, and a port with that
// method, health and reflection.

import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { DEFAULT_TENANT, REQUEST_BYTES_MAX } from '../../model/limits.ts';
import type { BareMethod, BareMethods } from '../../service/grpc_bare.ts';
import { GrpcHealth } from '../../service/grpc_health.ts';
import { type GrpcListenerOptions, openGrpc } from '../../service/grpc_listener.ts';
import type { Listener } from '../../service/http_listener.ts';
import type { MemoryBudget } from '../../service/memory_budget.ts';
import type { Accept, Accepted, Batch } from '../batch.ts';
import { BODY_TIME_MS, NO_MESSAGE, type UnaryRequest, unaryMethod } from './grpc_unary.ts';
import type { ReceiverMetrics } from './receiver_metrics.ts';

export interface GrpcReceiverDeps {
  readonly accept: Accept;
  readonly budget: MemoryBudget;
  readonly metrics: ReceiverMetrics;
  /** Told what was thrown and is no refusal; the client has got INTERNAL. */
  readonly onBug: (error: unknown) => void;
  /** Cap of a message, on the wire and inflated; REQUEST_BYTES_MAX unless told. */
  readonly requestBytesMax?: number;
  /** From the headers of a call to the end of its message. */
  readonly bodyTimeMs?: number;
  /** From the answer to the client's having it. */
  readonly answerTimeMs?: number;
}

export interface GrpcProtocol {
  readonly receiver: Batch['receiver'];
  /** Where it is below the cap of all receivers, bytes. */
  readonly messageBytesMax?: number;
  /** The message as OTLP; undefined when there is nothing to accept. Throws RefusalError. */
  readonly translate: (
    request: UnaryRequest,
  ) => Promise<Uint8Array | undefined> | Uint8Array | undefined;
  /** The answer's message; empty unless told. */
  readonly answer?: (accepted: Accepted) => Uint8Array;
}

/** A method whose message is a batch: OK means that it is safe. */
export function batchMethod(deps: GrpcReceiverDeps, protocol: GrpcProtocol): BareMethod {
  const { receiver, translate } = protocol;
  const requestMax = deps.requestBytesMax ?? REQUEST_BYTES_MAX;
  const answer = protocol.answer ?? (() => NO_MESSAGE);
  return unaryMethod({
    budget: deps.budget,
    bytesMax: Math.min(requestMax, protocol.messageBytesMax ?? requestMax),
    bodyTimeMs: deps.bodyTimeMs ?? BODY_TIME_MS,
    ...(deps.answerTimeMs === undefined ? {} : { answerTimeMs: deps.answerTimeMs }),
    onBug: deps.onBug,
    ended: (outcome, bytes) => {
      deps.metrics.receivedBytes(receiver, bytes);
      deps.metrics.request(receiver, outcome);
    },
    serve: async (request) => {
      const bytes = await translate(request);
      if (bytes === undefined) return { message: NO_MESSAGE, outcome: 'ok' };
      const { signal } = request;
      const accepted = await deps.accept({ tenant: DEFAULT_TENANT, bytes, receiver, signal });
      return { message: answer(accepted), outcome: accepted.rejected > 0 ? 'partial' : 'ok' };
    },
  });
}

export type GrpcListen = Omit<GrpcListenerOptions, 'register' | 'bare' | 'budget'>;

export interface GrpcReceiver extends Listener {
  /** What health checks answer: NOT_SERVING until this is called with true, and while draining. */
  setServing(serving: boolean): void;
}

export interface GrpcServices {
  /** By `:path`. */
  readonly methods: BareMethods;
  /** Names that health checks know. */
  readonly services: readonly string[];
  /** Below proto/: lets grpcurl list and call what is here without having our files. */
  readonly protoFiles: readonly string[];
}

/** Resolves when the port is open. Throws ListenError (service/listen.ts). */
export async function openGrpcReceiver(
  { methods, services, protoFiles }: GrpcServices,
  budget: MemoryBudget,
  listen: GrpcListen,
): Promise<GrpcReceiver> {
  const health = new GrpcHealth(services);
  const listener = await openGrpc({
    ...listen,
    bare: methods,
    budget,
    register: (server) => {
      health.addTo(server);
      const definition = loadSync([...protoFiles, 'grpc/health/v1/health.proto'], {
        includeDirs: [fileURLToPath(new URL('../../proto/', import.meta.url))],
        keepCase: true,
      });
      new ReflectionService(definition).addToServer(server);
    },
  });
  return {
    port: listener.port,
    addresses: listener.addresses,
    setServing: (serving) => health.setServing(serving),
    stop: (graceMs) => {
      health.close();
      return listener.stop(graceMs);
    },
  };
}
