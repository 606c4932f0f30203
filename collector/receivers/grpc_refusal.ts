// A refusal as gRPC says it: code, sentence, and google.rpc.Status in grpc-status-details-bin.

import { Metadata, type status } from '@grpc/grpc-js';
import { statusProto } from '../../model/codec/otlp/status_proto.ts';
import type { Refusal } from '../../service/refusal.ts';
import { refusalStatus } from './refusal_status.ts';

export interface GrpcStatus {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** Retryable refusals carry a RetryInfo; the others must not, or clients would send again. */
export function grpcRefusal(refusal: Refusal): GrpcStatus {
  const body = refusalStatus(refusal);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(statusProto(body)));
  return { code: body.code, details: body.message, metadata };
}
