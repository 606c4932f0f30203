// Zipkin over gRPC: zipkin.proto3.SpanService/Report. The message is a ListOfSpans, the answer is
// empty.

import {
  type GrpcConnections,
  type GrpcLimits,
  grpcConnections,
} from '../../service/grpc_listener.ts';
import type { JsonTranscoder } from '../json_worker.ts';
import { batchMethod, type GrpcReceiverDeps } from './grpc_receiver.ts';

const REPORT_PATH = '/zipkin.proto3.SpanService/Report';

export interface ZipkinGrpcDeps extends GrpcReceiverDeps {
  /** Zipkin's formats to OTLP, off the event loop when large. */
  readonly json: JsonTranscoder;
}

export function zipkinGrpc(deps: ZipkinGrpcDeps, limits: Partial<GrpcLimits>): GrpcConnections {
  const report = batchMethod(deps, {
    receiver: 'zipkin_grpc',
    translate: async ({ message, reservation, signal }) => {
      const bytes = await deps.json.toProto(message, reservation, signal, 'zipkin_proto3');
      return bytes.length === 0 ? undefined : bytes;
    },
  });
  return grpcConnections({
    limits,
    bare: new Map([[REPORT_PATH, report]]),
    budget: deps.budget,
    register: () => undefined,
  });
}
