// A refusal as the google.rpc.Status that OTLP clients read, the same over HTTP and gRPC.

import type { StatusBody } from '../../model/codec/otlp/status_proto.ts';
import { REFUSAL_WIRE, type Refusal, RefusalError } from '../../service/refusal.ts';

const INTERNAL: Refusal = {
  code: 'internal',
  message:
    'an error of ours, which has been logged: sending the request again is not known to help',
};

/** What a receiver says about anything that was thrown; `onBug` hears what should not have been. */
export function refusalOf(error: unknown, onBug: (error: unknown) => void): Refusal {
  if (error instanceof RefusalError) {
    if (error.refusal.code === 'internal') onBug(error);
    return error.refusal;
  }
  onBug(error);
  return INTERNAL;
}

export function refusalStatus(refusal: Refusal): StatusBody {
  return {
    code: REFUSAL_WIRE[refusal.code].grpc,
    message: refusal.message,
    ...(refusal.retryAfterMs === undefined ? {} : { retryAfterMs: refusal.retryAfterMs }),
    ...(refusal.code === 'malformed' ? { violation: refusal.message } : {}),
  };
}
