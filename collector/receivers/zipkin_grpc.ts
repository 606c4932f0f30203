// Zipkin over gRPC: zipkin.proto3.SpanService/Report. The message is a ListOfSpans, the answer is
// empty.

import {
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { DEFAULT_TENANT, REQUEST_BYTES_MAX } from '../../model/limits.ts';
import {
  type GrpcConnections,
  type GrpcLimits,
  grpcConnections,
} from '../../service/grpc_listener.ts';
import type { MemoryBudget } from '../../service/memory_budget.ts';
import { RefusalError } from '../../service/refusal.ts';
import type { Accept } from '../batch.ts';
import type { JsonTranscoder } from '../json_worker.ts';
import { type GrpcIntake, grpcIntake, type Intake } from './grpc_intake.ts';
import { grpcRefusal } from './grpc_refusal.ts';
import { inflate } from './inflate.ts';
import type { Outcome, ReceiverMetrics } from './receiver_metrics.ts';
import { refusalOf } from './refusal_status.ts';

const RECEIVER = 'zipkin_grpc';

const REPORT_PATH = '/zipkin.proto3.SpanService/Report';

/** As over HTTP: a batch that has not arrived after a minute is not coming. */
const BODY_TIME_MS = 60_000;

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
  const intake = grpcIntake({
    budget: deps.budget,
    bodyTimeMs: deps.bodyTimeMs ?? BODY_TIME_MS,
    unhandled: (path, code, bytes) => {
      if (path !== REPORT_PATH) return;
      deps.metrics.receivedBytes(RECEIVER, bytes);
      deps.metrics.request(RECEIVER, outcomeOf(code));
    },
  });
  return grpcConnections({
    limits: { messageBytesMax: deps.requestBytesMax ?? REQUEST_BYTES_MAX, ...limits },
    interceptors: [intake.interceptor],
    register: (server) => {
      server.addService(SERVICE, { report: reportHandler(deps, intake) });
    },
  });
}

const asIs = (bytes: Buffer): Buffer => bytes;

const SERVICE: ServiceDefinition = {
  report: {
    path: REPORT_PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
    originalName: 'Report',
  },
};

const EMPTY = Buffer.alloc(0);

function reportHandler(deps: ZipkinGrpcDeps, intakes: GrpcIntake) {
  return async (
    call: ServerUnaryCall<Buffer, Buffer>,
    callback: sendUnaryData<Buffer>,
  ): Promise<void> => {
    const intake = intakes.hold(call.metadata);
    const gone = new AbortController();
    // Also when the deadline has passed: grpc-js has answered DEADLINE_EXCEEDED then.
    call.on('cancelled', () => gone.abort());
    try {
      const outcome = await receive(call.request, deps, intake, gone.signal);
      callback(null, EMPTY);
      deps.metrics.request(RECEIVER, outcome);
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
  deps: ZipkinGrpcDeps,
  intake: Intake,
  signal: AbortSignal,
): Promise<Outcome> {
  deps.metrics.receivedBytes(RECEIVER, intake.bytes);
  const { reservation } = intake;
  const inflated = await inflate(
    // grpc-js messages lie on plain ArrayBuffers, which its types do not say.
    message as Uint8Array<ArrayBuffer>,
    encodingOf(intake),
    deps.requestBytesMax ?? REQUEST_BYTES_MAX,
    reservation,
  );
  const bytes = await deps.json.toProto(owned(inflated), reservation, signal, 'zipkin_proto3');
  if (bytes.length === 0) return 'ok';
  const accepted = await deps.accept({ tenant: DEFAULT_TENANT, bytes, receiver: RECEIVER, signal });
  return accepted.rejected > 0 ? 'partial' : 'ok';
}

/** A message may lie among others in Node's pool, which must not be moved to a thread. */
function owned(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes.byteOffset === 0 ? bytes : new Uint8Array(bytes);
}

/** gRPC: the flag says whether, the header how. Only what grpc-accept-encoding offers. */
function encodingOf(intake: Intake): 'identity' | 'gzip' | 'deflate' {
  if (!intake.compressed || intake.encoding === 'identity') return 'identity';
  if (intake.encoding === 'gzip' || intake.encoding === 'deflate') return intake.encoding;
  throw new RefusalError({
    code: 'unsupported',
    message: 'the grpc-encoding must be identity, gzip or deflate',
  });
}

/** Of a call that was answered before its handler: see REFUSAL_WIRE for the codes. */
function outcomeOf(code: status | undefined): Outcome {
  switch (code) {
    case undefined:
      return 'gone';
    case status.RESOURCE_EXHAUSTED:
      return 'too_large';
    case status.UNAVAILABLE:
      return 'busy';
    case status.DEADLINE_EXCEEDED:
      return 'deadline';
    default:
      return 'malformed';
  }
}
