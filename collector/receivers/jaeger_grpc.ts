// Jaeger over gRPC: CollectorService/PostSpans and SamplingManager/GetSamplingStrategy on one port, as
// Jaeger's collector has them, or sampling alone. Bare streams, as in otlp_grpc.ts.

import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { postSpansToOtlp } from '../../model/codec/jaeger/proto_batch.ts';
import { DEFAULT_TENANT, REQUEST_BYTES_MAX } from '../../model/limits.ts';
import { GrpcHealth } from '../../service/grpc_health.ts';
import { type GrpcListenerOptions, openGrpc } from '../../service/grpc_listener.ts';
import type { MemoryBudget } from '../../service/memory_budget.ts';
import type { Accept } from '../batch.ts';
import { strategyProto } from '../sampling/answer.ts';
import { serviceNameOf } from '../sampling/parameters.ts';
import { BODY_TIME_MS, NO_MESSAGE, type UnaryDeps, unaryMethod } from './grpc_unary.ts';
import { JAEGER_BATCH_BYTES_MAX } from './jaeger_limits.ts';
import { translate } from './jaeger_translate.ts';
import type { OtlpGrpc } from './otlp_grpc.ts';
import { endedInto, type ReceiverMetrics } from './receiver_metrics.ts';
import type { StrategyOf } from './sampling_http.ts';

const RECEIVER = 'jaeger_grpc';

const COLLECTOR = 'jaeger.api_v2.CollectorService';
const SAMPLING = 'jaeger.api_v2.SamplingManager';

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

type Listen = Omit<GrpcListenerOptions, 'register' | 'bare' | 'budget'>;

/** Resolves when the port is open. Throws ListenError (service/listen.ts). */
export async function startJaegerGrpc(deps: JaegerGrpcDeps, listen: Listen): Promise<OtlpGrpc> {
  const samplingOnly = deps.samplingOnly ?? false;
  const health = new GrpcHealth(samplingOnly ? [SAMPLING] : [COLLECTOR, SAMPLING]);
  const sampling = [SAMPLING_PATH, unaryMethod(samplingDeps(deps))] as const;
  const postSpans = [POST_SPANS_PATH, unaryMethod(postSpansDeps(deps))] as const;
  const listener = await openGrpc({
    ...listen,
    bare: new Map(samplingOnly ? [sampling] : [sampling, postSpans]),
    budget: deps.budget,
    register: (server) => {
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

const POST_SPANS_PATH = `/${COLLECTOR}/PostSpans`;
const SAMPLING_PATH = `/${SAMPLING}/GetSamplingStrategy`;

function postSpansDeps(deps: JaegerGrpcDeps): UnaryDeps {
  return {
    budget: deps.budget,
    bytesMax: Math.min(deps.requestBytesMax ?? REQUEST_BYTES_MAX, JAEGER_BATCH_BYTES_MAX),
    bodyTimeMs: deps.bodyTimeMs ?? BODY_TIME_MS,
    onBug: deps.onBug,
    ended: endedInto(deps.metrics, RECEIVER),
    serve: async ({ message, reservation, signal }) => {
      const bytes = translate(message, reservation, (proto) =>
        postSpansToOtlp(proto, deps.requestBytesMax ?? REQUEST_BYTES_MAX),
      );
      const batch = { tenant: DEFAULT_TENANT, bytes, receiver: RECEIVER, signal } as const;
      const accepted = await deps.accept(batch);
      // PostSpansResponse has no fields: what was rejected is in the metrics only.
      return { message: NO_MESSAGE, outcome: accepted.rejected > 0 ? 'partial' : 'ok' };
    },
  };
}

function samplingDeps(deps: JaegerGrpcDeps): UnaryDeps {
  return {
    budget: deps.budget,
    bytesMax: SAMPLING_BYTES_MAX,
    bodyTimeMs: deps.bodyTimeMs ?? BODY_TIME_MS,
    onBug: deps.onBug,
    ended: () => undefined,
    serve: async ({ message }) => {
      const strategy = deps.strategyOf(serviceNameOf(message));
      return { message: strategyProto(strategy), outcome: 'ok' };
    },
  };
}

/** Lets grpcurl and the like list and call what is here without having our proto files. */
function protoFiles(samplingOnly: boolean): ReturnType<typeof loadSync> {
  const collector = samplingOnly ? [] : ['jaeger/api_v2/collector.proto'];
  return loadSync([...collector, 'jaeger/api_v2/sampling.proto', 'grpc/health/v1/health.proto'], {
    includeDirs: [fileURLToPath(new URL('../../proto/', import.meta.url))],
    keepCase: true,
  });
}
