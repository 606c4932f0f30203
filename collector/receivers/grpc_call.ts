// What all gRPC receivers ask of a call.

import { status } from '@grpc/grpc-js';
import { RefusalError } from '../../service/refusal.ts';
import type { Intake } from './grpc_intake.ts';
import type { Outcome } from './receiver_metrics.ts';

/** Of a call that was answered before its handler: see REFUSAL_WIRE for the codes. */
export function outcomeOf(code: status | undefined): Outcome {
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

/** gRPC: the flag says whether, the header how. Only what grpc-accept-encoding offers. */
export function encodingOf(intake: Intake): 'identity' | 'gzip' | 'deflate' {
  if (!intake.compressed || intake.encoding === 'identity') return 'identity';
  if (intake.encoding === 'gzip' || intake.encoding === 'deflate') return intake.encoding;
  throw new RefusalError({
    code: 'unsupported',
    message: 'the grpc-encoding must be identity, gzip or deflate',
  });
}
