// OTLP over gRPC: TraceService/Export on the bare stream (grpc_unary.ts), with health and reflection
// of grpc-js beside it.

import { exportResponseProto } from '../../model/codec/otlp/export_response.ts';
import {
  batchMethod,
  type GrpcListen,
  type GrpcReceiver,
  type GrpcReceiverDeps,
  openGrpcReceiver,
} from './grpc_receiver.ts';

const SERVICE = 'opentelemetry.proto.collector.trace.v1.TraceService';

/** Resolves when the port is open. Throws ListenError (service/listen.ts). */
export function startOtlpGrpc(deps: GrpcReceiverDeps, listen: GrpcListen): Promise<GrpcReceiver> {
  const exporting = batchMethod(deps, {
    receiver: 'otlp_grpc',
    translate: ({ message }) => message,
    answer: exportResponseProto,
  });
  const services = {
    methods: new Map([[`/${SERVICE}/Export`, exporting]]),
    services: [SERVICE],
    protoFiles: ['opentelemetry/proto/collector/trace/v1/trace_service.proto'],
  };
  return openGrpcReceiver(services, deps.budget, listen);
}
