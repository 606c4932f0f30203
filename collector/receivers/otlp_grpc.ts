// OTLP over gRPC: TraceService/Export on the bare stream (grpc_unary.ts), with health and reflection
// of grpc-js beside it.

import { fileURLToPath } from 'node:url';
import type { Server } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { exportResponseProto } from '../../model/codec/otlp/export_response.ts';
import { DEFAULT_TENANT, REQUEST_BYTES_MAX } from '../../model/limits.ts';
import { GrpcHealth } from '../../service/grpc_health.ts';
import { type GrpcListenerOptions, openGrpc } from '../../service/grpc_listener.ts';
import type { Listener } from '../../service/http_listener.ts';
import type { MemoryBudget } from '../../service/memory_budget.ts';
import type { Accept } from '../batch.ts';
import { BODY_TIME_MS, type UnaryDeps, unaryMethod } from './grpc_unary.ts';
import { endedInto, type ReceiverMetrics } from './receiver_metrics.ts';

const RECEIVER = 'otlp_grpc';

const SERVICE = 'opentelemetry.proto.collector.trace.v1.TraceService';

export interface OtlpGrpcDeps {
  readonly accept: Accept;
  readonly budget: MemoryBudget;
  readonly metrics: ReceiverMetrics;
  /** Told what was thrown and is no refusal; the client has got INTERNAL. */
  readonly onBug: (error: unknown) => void;
  /** Cap of a message, on the wire and inflated. */
  readonly requestBytesMax?: number;
  /** From the headers of a call to the end of its message. */
  readonly bodyTimeMs?: number;
  /** From the answer to the client's having it. */
  readonly answerTimeMs?: number;
}

export interface OtlpGrpc extends Listener {
  /** What health checks answer: NOT_SERVING until this is called with true, and while draining. */
  setServing(serving: boolean): void;
}

type Listen = Omit<GrpcListenerOptions, 'register' | 'bare' | 'budget'>;

/** Resolves when the port is open. Throws ListenError (service/listen.ts). */
export async function startOtlpGrpc(deps: OtlpGrpcDeps, listen: Listen): Promise<OtlpGrpc> {
  const health = new GrpcHealth([SERVICE]);
  const listener = await openGrpc({
    ...listen,
    bare: new Map([[EXPORT_PATH, unaryMethod(exportDeps(deps))]]),
    budget: deps.budget,
    register: (server) => {
      health.addTo(server);
      addReflection(server);
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

const EXPORT_PATH = `/${SERVICE}/Export`;

function exportDeps(deps: OtlpGrpcDeps): UnaryDeps {
  return {
    budget: deps.budget,
    bytesMax: deps.requestBytesMax ?? REQUEST_BYTES_MAX,
    bodyTimeMs: deps.bodyTimeMs ?? BODY_TIME_MS,
    ...(deps.answerTimeMs === undefined ? {} : { answerTimeMs: deps.answerTimeMs }),
    onBug: deps.onBug,
    ended: endedInto(deps.metrics, RECEIVER),
    serve: async ({ message, signal }) => {
      const batch = { tenant: DEFAULT_TENANT, bytes: message, receiver: RECEIVER, signal } as const;
      const accepted = await deps.accept(batch);
      return {
        message: exportResponseProto(accepted),
        outcome: accepted.rejected > 0 ? 'partial' : 'ok',
      };
    },
  };
}

/** Lets grpcurl and the like list and call what is here without having our proto files. */
function addReflection(server: Server): void {
  const definition = loadSync(
    ['opentelemetry/proto/collector/trace/v1/trace_service.proto', 'grpc/health/v1/health.proto'],
    { includeDirs: [fileURLToPath(new URL('../../proto/', import.meta.url))], keepCase: true },
  );
  new ReflectionService(definition).addToServer(server);
}
