// What a client reads in partial_success.error_message: what was expected, what came, how many.

import {
  REJECT_REASONS,
  type Rejected,
  type RejectReason,
} from '../model/codec/otlp/check_result.ts';
import { FUTURE_SECONDS_MAX, RESOURCE_BYTES_MAX, SPAN_BYTES_MAX } from '../model/limits.ts';

/** Spans that are larger than a record of the log may be. */
export interface OverRecord {
  readonly spans: number;
  readonly bytesMax: number;
}

/** One sentence naming every reason that occurred. */
export function rejectionMessage(
  rejected: Readonly<Rejected>,
  maxAgeSeconds: number,
  over: OverRecord,
): string {
  const parts = REJECT_REASONS.filter((reason) => rejected[reason] > 0).map(
    (reason) => `${rejected[reason]} ${WHY[reason](maxAgeSeconds)}`,
  );
  if (over.spans > 0) {
    parts.push(
      `${over.spans} too large for a record of the log, which takes ${over.bytesMax} bytes of a ` +
        'span with its resource and scope (these two at most half of it)',
    );
  }
  return `spans rejected: ${parts.join('; ')}`;
}

const WHY: Readonly<Record<RejectReason, (maxAgeSeconds: number) => string>> = {
  span_too_large: () => `over ${SPAN_BYTES_MAX} bytes`,
  bad_trace_id: () => 'with a trace_id that is not 16 bytes or all zero',
  bad_span_id: () => 'with a span_id that is not 8 bytes or all zero',
  bad_parent_id: () => 'with a parent_span_id that is neither empty nor 8 bytes',
  too_old: (seconds) => `started longer ago than the retention of ${days(seconds)}`,
  too_new: () =>
    `start more than ${FUTURE_SECONDS_MAX / 3600} h in the future (is the sender's clock right, and is it sending nanoseconds?)`,
  resource_too_large: () => `with a resource or scope over ${RESOURCE_BYTES_MAX} bytes`,
};

function days(seconds: number): string {
  return seconds % 86_400 === 0 ? `${seconds / 86_400} d` : `${seconds / 3600} h`;
}
