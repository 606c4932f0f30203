// Jaeger over gRPC: CollectorService/PostSpans and SamplingManager/GetSamplingStrategy on one port, as
// Jaeger's collector has them, or sampling alone. Bare streams, as in otlp_grpc.ts.

import { postSpansToOtlp } from '../../model/codec/jaeger/proto_batch.ts';
import { REQUEST_BYTES_MAX } from '../../model/limits.ts';
import type { BareMethod } from '../../service/grpc_bare.ts';
import { strategyProto } from '../sampling/answer.ts';
import { serviceNameOf } from '../sampling/parameters.ts';
import {
  batchMethod,
  type GrpcListen,
  type GrpcReceiver,
  type GrpcReceiverDeps,
  openGrpcReceiver,
} from './grpc_receiver.ts';
import { BODY_TIME_MS, unaryMethod } from './grpc_unary.ts';
import { JAEGER_BATCH_BYTES_MAX } from './jaeger_limits.ts';
import { translate } from './jaeger_translate.ts';
import type { StrategyOf } from './sampling_http.ts';

const COLLECTOR = 'jaeger.api_v2.CollectorService';
const SAMPLING = 'jaeger.api_v2.SamplingManager';

/** A service's name; more is none. */
const SAMPLING_BYTES_MAX = 64 * 1024;

export interface JaegerGrpcDeps extends GrpcReceiverDeps {
  readonly strategyOf: StrategyOf;
  /** Without PostSpans: port 5779. */
  readonly samplingOnly?: boolean;
}

/** Resolves when the port is open. Throws ListenError (service/listen.ts). */
export function startJaegerGrpc(deps: JaegerGrpcDeps, listen: GrpcListen): Promise<GrpcReceiver> {
  const sampling = [`/${SAMPLING}/GetSamplingStrategy`, samplingMethod(deps)] as const;
  const samplingOnly = {
    methods: new Map([sampling]),
    services: [SAMPLING],
    protoFiles: ['jaeger/api_v2/sampling.proto'],
  };
  if (deps.samplingOnly ?? false) return openGrpcReceiver(samplingOnly, deps.budget, listen);
  const all = {
    methods: new Map([sampling, [`/${COLLECTOR}/PostSpans`, postSpansMethod(deps)]]),
    services: [COLLECTOR, SAMPLING],
    protoFiles: ['jaeger/api_v2/collector.proto', 'jaeger/api_v2/sampling.proto'],
  };
  return openGrpcReceiver(all, deps.budget, listen);
}

/** PostSpansResponse has no fields: what was rejected is in the metrics only. */
function postSpansMethod(deps: JaegerGrpcDeps): BareMethod {
  const otlpBytesMax = deps.requestBytesMax ?? REQUEST_BYTES_MAX;
  return batchMethod(deps, {
    receiver: 'jaeger_grpc',
    messageBytesMax: JAEGER_BATCH_BYTES_MAX,
    translate: ({ message, reservation }) =>
      translate(message, reservation, (proto) => postSpansToOtlp(proto, otlpBytesMax)),
  });
}

function samplingMethod(deps: JaegerGrpcDeps): BareMethod {
  return unaryMethod({
    budget: deps.budget,
    bytesMax: SAMPLING_BYTES_MAX,
    bodyTimeMs: deps.bodyTimeMs ?? BODY_TIME_MS,
    onBug: deps.onBug,
    ended: () => undefined,
    serve: async ({ message }) => {
      const strategy = deps.strategyOf(serviceNameOf(message));
      return { message: strategyProto(strategy), outcome: 'ok' };
    },
  });
}
