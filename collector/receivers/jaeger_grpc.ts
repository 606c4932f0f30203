// Jaeger over gRPC: CollectorService/PostSpans and SamplingManager/GetSamplingStrategy on one port, as
// Jaeger's collector has them, or sampling alone. Messages stay bytes, as in otlp_grpc.ts.

import { fileURLToPath } from 'node:url';
import type { ServerUnaryCall, ServiceDefinition, sendUnaryData } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { postSpansToOtlp } from '../../model/codec/jaeger/proto_batch.ts';
import { DEFAULT_TENANT, REQUEST_BYTES_MAX } from '../../model/limits.ts';
import { type GrpcListenerOptions, openGrpc } from '../../service/grpc_listener.ts';
import type { MemoryBudget } from '../../service/memory_budget.ts';
import type { Accept, Accepted } from '../batch.ts';
import { strategyProto } from '../sampling/answer.ts';
import { serviceNameOf } from '../sampling/parameters.ts';
import { encodingOf, outcomeOf } from './grpc_call.ts';
import { GrpcHealth } from './grpc_health.ts';
import { type GrpcIntake, grpcIntake, type Intake } from './grpc_intake.ts';
import { grpcRefusal } from './grpc_refusal.ts';
import { inflate } from './inflate.ts';
import { JAEGER_BATCH_BYTES_MAX } from './jaeger_limits.ts';
import { translate } from './jaeger_translate.ts';
import type { OtlpGrpc } from './otlp_grpc.ts';
import type { ReceiverMetrics } from './receiver_metrics.ts';
import { refusalOf } from './refusal_status.ts';
import type { StrategyOf } from './sampling_http.ts';

const RECEIVER = 'jaeger_grpc';

const COLLECTOR = 'jaeger.api_v2.CollectorService';
const SAMPLING = 'jaeger.api_v2.SamplingManager';

/** As over HTTP: a batch that has not arrived after a minute is not coming. */
const BODY_TIME_MS = 60_000;

/** A service's name; more is none. */
const SAMPLING_BYTES_MAX = 64 * 1024;

export interface JaegerGrpcDeps {
  readonly accept: Accept;
  readonly budget: MemoryBudget;
  readonly metrics: ReceiverMetrics;
  readonly strategyOf: StrategyOf;
  /** Told what was thrown and is no refusal; the client has got INTERNAL. */
  readonly onBug: (error: unknown) => void;
  /** Cap of a message, where it is below JAEGER_BATCH_BYTES_MAX. */
  readonly requestBytesMax?: number;
  /** From the headers of a call to the end of its message. */
  readonly bodyTimeMs?: number;
  /** Without PostSpans: port 5779. */
  readonly samplingOnly?: boolean;
}

type Listen = Omit<GrpcListenerOptions, 'register' | 'interceptors'>;

/** Resolves when the port is open. Throws ListenError (service/listen.ts). */
export async function startJaegerGrpc(deps: JaegerGrpcDeps, listen: Listen): Promise<OtlpGrpc> {
  const samplingOnly = deps.samplingOnly ?? false;
  const health = new GrpcHealth(samplingOnly ? [SAMPLING] : [COLLECTOR, SAMPLING]);
  const intake = grpcIntake({
    budget: deps.budget,
    bodyTimeMs: deps.bodyTimeMs ?? BODY_TIME_MS,
    unhandled: (path, code, bytes) => {
      if (path !== POST_SPANS_PATH || samplingOnly) return;
      deps.metrics.receivedBytes(RECEIVER, bytes);
      deps.metrics.request(RECEIVER, outcomeOf(code));
    },
  });
  const messageBytesMax = samplingOnly ? SAMPLING_BYTES_MAX : batchBytesMax(deps);
  const listener = await openGrpc({
    ...listen,
    limits: { ...listen.limits, messageBytesMax },
    interceptors: [intake.interceptor],
    register: (server) => {
      const strategy = samplingHandler(deps, intake);
      server.addService(SAMPLING_DEFINITION, { getSamplingStrategy: strategy });
      const postSpans = postSpansHandler(deps, intake);
      if (!samplingOnly) server.addService(COLLECTOR_DEFINITION, { postSpans });
      health.addTo(server);
      new ReflectionService(protoFiles(samplingOnly)).addToServer(server);
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

const POST_SPANS_PATH = `/${COLLECTOR}/PostSpans`;

const COLLECTOR_DEFINITION = unary('postSpans', POST_SPANS_PATH);
const SAMPLING_DEFINITION = unary('getSamplingStrategy', `/${SAMPLING}/GetSamplingStrategy`);

function unary(name: string, path: string): ServiceDefinition {
  return {
    [name]: {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
      originalName: name,
    },
  };
}

type Call = ServerUnaryCall<Buffer, Buffer>;

function postSpansHandler(deps: JaegerGrpcDeps, intakes: GrpcIntake) {
  return async (call: Call, callback: sendUnaryData<Buffer>): Promise<void> => {
    const intake = intakes.hold(call.metadata);
    const gone = new AbortController();
    // Also when the deadline has passed: grpc-js has answered DEADLINE_EXCEEDED then.
    call.on('cancelled', () => gone.abort());
    try {
      const accepted = await receive(call.request, deps, intake, gone.signal);
      // PostSpansResponse has no fields: what was rejected is in the metrics only.
      callback(null, Buffer.alloc(0));
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

function samplingHandler(deps: JaegerGrpcDeps, intakes: GrpcIntake) {
  return async (call: Call, callback: sendUnaryData<Buffer>): Promise<void> => {
    const intake = intakes.hold(call.metadata);
    try {
      const service = serviceNameOf(await message(call.request, intake, SAMPLING_BYTES_MAX));
      callback(null, Buffer.from(strategyProto(deps.strategyOf(service))));
    } catch (error) {
      callback(grpcRefusal(refusalOf(error, deps.onBug)));
    } finally {
      intakes.done(intake);
    }
  };
}

/** Throws RefusalError. */
async function receive(
  request: Buffer,
  deps: JaegerGrpcDeps,
  intake: Intake,
  signal: AbortSignal,
): Promise<Accepted> {
  deps.metrics.receivedBytes(RECEIVER, intake.bytes);
  const body = await message(request, intake, batchBytesMax(deps));
  const bytes = translate(body, intake.reservation, (proto) =>
    postSpansToOtlp(proto, deps.requestBytesMax ?? REQUEST_BYTES_MAX),
  );
  return deps.accept({ tenant: DEFAULT_TENANT, bytes, receiver: RECEIVER, signal });
}

function batchBytesMax(deps: JaegerGrpcDeps): number {
  return Math.min(deps.requestBytesMax ?? REQUEST_BYTES_MAX, JAEGER_BATCH_BYTES_MAX);
}

function message(request: Buffer, intake: Intake, bytesMax: number): Promise<Uint8Array> {
  // grpc-js messages lie on plain ArrayBuffers, which its types do not say.
  const bytes = request as Uint8Array<ArrayBuffer>;
  return inflate(bytes, encodingOf(intake), bytesMax, intake.reservation);
}

/** Lets grpcurl and the like list and call what is here without having our proto files. */
function protoFiles(samplingOnly: boolean): ReturnType<typeof loadSync> {
  const collector = samplingOnly ? [] : ['jaeger/api_v2/collector.proto'];
  return loadSync([...collector, 'jaeger/api_v2/sampling.proto', 'grpc/health/v1/health.proto'], {
    includeDirs: [fileURLToPath(new URL('../../proto/', import.meta.url))],
    keepCase: true,
  });
}
