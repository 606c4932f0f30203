// Zipkin over gRPC: zipkin.proto3.SpanService/Report. The message is a ListOfSpans, the answer is
// empty.

import { DEFAULT_TENANT, REQUEST_BYTES_MAX } from '../../model/limits.ts';
import {
  type GrpcConnections,
  type GrpcLimits,
  grpcConnections,
} from '../../service/grpc_listener.ts';
import type { MemoryBudget } from '../../service/memory_budget.ts';
import type { Accept } from '../batch.ts';
import type { JsonTranscoder } from '../json_worker.ts';
import {
  BODY_TIME_MS,
  NO_MESSAGE,
  type UnaryReply,
  type UnaryRequest,
  unaryMethod,
} from './grpc_unary.ts';
import { endedInto, type ReceiverMetrics } from './receiver_metrics.ts';

const RECEIVER = 'zipkin_grpc';

const REPORT_PATH = '/zipkin.proto3.SpanService/Report';

export interface ZipkinGrpcDeps {
  readonly accept: Accept;
  readonly budget: MemoryBudget;
  readonly metrics: ReceiverMetrics;
  /** Zipkin's formats to OTLP, off the event loop when large. */
  readonly json: JsonTranscoder;
  /** Told what was thrown and is no refusal; the client has got INTERNAL. */
  readonly onBug: (error: unknown) => void;
  /** Cap of a message, on the wire and inflated. */
  readonly requestBytesMax?: number;
  /** From the headers of a call to the end of its message. */
  readonly bodyTimeMs?: number;
}

export function zipkinGrpc(deps: ZipkinGrpcDeps, limits: Partial<GrpcLimits>): GrpcConnections {
  const report = unaryMethod({
    budget: deps.budget,
    bytesMax: deps.requestBytesMax ?? REQUEST_BYTES_MAX,
    bodyTimeMs: deps.bodyTimeMs ?? BODY_TIME_MS,
    onBug: deps.onBug,
    ended: endedInto(deps.metrics, RECEIVER),
    serve: (request) => serve(request, deps),
  });
  return grpcConnections({
    limits,
    bare: new Map([[REPORT_PATH, report]]),
    budget: deps.budget,
    register: () => undefined,
  });
}

/** Throws RefusalError. */
async function serve(request: UnaryRequest, deps: ZipkinGrpcDeps): Promise<UnaryReply> {
  const { message, reservation, signal } = request;
  const bytes = await deps.json.toProto(message, reservation, signal, 'zipkin_proto3');
  if (bytes.length === 0) return { message: NO_MESSAGE, outcome: 'ok' };
  const accepted = await deps.accept({ tenant: DEFAULT_TENANT, bytes, receiver: RECEIVER, signal });
  return { message: NO_MESSAGE, outcome: accepted.rejected > 0 ? 'partial' : 'ok' };
}
