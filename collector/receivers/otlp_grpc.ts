// OTLP over gRPC: TraceService/Export, with health and reflection beside it. Messages stay bytes:
// decoding errors are ours to answer, and accept() wants the bytes anyway.

import { fileURLToPath } from 'node:url';
import type { Server, ServerUnaryCall, ServiceDefinition, sendUnaryData } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { exportResponseProto } from '../../model/codec/otlp/export_response.ts';
import { DEFAULT_TENANT, REQUEST_BYTES_MAX } from '../../model/limits.ts';
import { type GrpcListenerOptions, openGrpc } from '../../service/grpc_listener.ts';
import type { Listener } from '../../service/http_listener.ts';
import type { MemoryBudget } from '../../service/memory_budget.ts';
import type { Accept, Accepted } from '../batch.ts';
import { encodingOf, outcomeOf } from './grpc_call.ts';
import { GrpcHealth } from './grpc_health.ts';
import { type GrpcIntake, grpcIntake, type Intake } from './grpc_intake.ts';
import { grpcRefusal } from './grpc_refusal.ts';
import { inflate } from './inflate.ts';
import type { ReceiverMetrics } from './receiver_metrics.ts';
import { refusalOf } from './refusal_status.ts';

const RECEIVER = 'otlp_grpc';

const SERVICE = 'opentelemetry.proto.collector.trace.v1.TraceService';

/** As over HTTP: a batch that has not arrived after a minute is not coming. */
const BODY_TIME_MS = 60_000;

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
}

export interface OtlpGrpc extends Listener {
  /** What health checks answer: NOT_SERVING until this is called with true, and while draining. */
  setServing(serving: boolean): void;
}

type Listen = Omit<GrpcListenerOptions, 'register' | 'interceptors'>;

/** Resolves when the port is open. Throws ListenError (service/listen.ts). */
export async function startOtlpGrpc(deps: OtlpGrpcDeps, listen: Listen): Promise<OtlpGrpc> {
  const health = new GrpcHealth([SERVICE]);
  const intake = grpcIntake({
    budget: deps.budget,
    bodyTimeMs: deps.bodyTimeMs ?? BODY_TIME_MS,
    unhandled: (path, code, bytes) => {
      if (path !== EXPORT_PATH) return;
      deps.metrics.receivedBytes(RECEIVER, bytes);
      deps.metrics.request(RECEIVER, outcomeOf(code));
    },
  });
  const listener = await openGrpc({
    ...listen,
    limits: { messageBytesMax: deps.requestBytesMax ?? REQUEST_BYTES_MAX, ...listen.limits },
    interceptors: [intake.interceptor],
    register: (server) => {
      server.addService(SERVICE_DEFINITION, { export: exportHandler(deps, intake) });
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

const asIs = (bytes: Buffer): Buffer => bytes;

const EXPORT_PATH = `/${SERVICE}/Export`;

const SERVICE_DEFINITION: ServiceDefinition = {
  export: {
    path: EXPORT_PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
    originalName: 'Export',
  },
};

type ExportCall = ServerUnaryCall<Buffer, Buffer>;

function exportHandler(deps: OtlpGrpcDeps, intakes: GrpcIntake) {
  return async (call: ExportCall, callback: sendUnaryData<Buffer>): Promise<void> => {
    const intake = intakes.hold(call.metadata);
    const gone = new AbortController();
    // Also when the deadline has passed: grpc-js has answered DEADLINE_EXCEEDED then.
    call.on('cancelled', () => gone.abort());
    try {
      const accepted = await receive(call.request, deps, intake, gone.signal);
      callback(null, Buffer.from(exportResponseProto(accepted)));
      deps.metrics.request(RECEIVER, accepted.rejected > 0 ? 'partial' : 'ok');
    } catch (error) {
      const refusal = refusalOf(error, deps.onBug);
      callback(grpcRefusal(refusal));
      deps.metrics.request(RECEIVER, gone.signal.aborted ? 'gone' : refusal.code);
    } finally {
      intakes.done(intake);
    }
  };
}

/** Throws RefusalError. */
async function receive(
  message: Buffer,
  deps: OtlpGrpcDeps,
  intake: Intake,
  signal: AbortSignal,
): Promise<Accepted> {
  deps.metrics.receivedBytes(RECEIVER, intake.bytes);
  const bytes = await inflate(
    // grpc-js messages lie on plain ArrayBuffers, which its types do not say.
    message as Uint8Array<ArrayBuffer>,
    encodingOf(intake),
    deps.requestBytesMax ?? REQUEST_BYTES_MAX,
    intake.reservation,
  );
  return deps.accept({ tenant: DEFAULT_TENANT, bytes, receiver: RECEIVER, signal });
}

/** Lets grpcurl and the like list and call what is here without having our proto files. */
function addReflection(server: Server): void {
  const definition = loadSync(
    ['opentelemetry/proto/collector/trace/v1/trace_service.proto', 'grpc/health/v1/health.proto'],
    { includeDirs: [fileURLToPath(new URL('../../proto/', import.meta.url))], keepCase: true },
  );
  new ReflectionService(definition).addToServer(server);
}
