// Which spans are not stored. Rules: ../README.md, "Which spans are rejected".

import type { RejectReason } from '../check_result.ts';
import type { Limits } from './limits.ts';
import type { TwinSpan } from './request.ts';

const NANOS_PER_SECOND = 1_000_000_000n;

export interface Window {
  readonly recordUnixNanos: bigint;
  readonly maxAgeSeconds: number;
}

/** The first reason that holds, or undefined for a span to keep. */
export function rejectReason(
  span: TwinSpan,
  window: Window,
  limits: Limits,
): RejectReason | undefined {
  const oldest = window.recordUnixNanos - BigInt(window.maxAgeSeconds) * NANOS_PER_SECOND;
  const newest = window.recordUnixNanos + BigInt(limits.FUTURE_SECONDS_MAX) * NANOS_PER_SECOND;
  if (span.message.length > limits.SPAN_BYTES_MAX) return 'span_too_large';
  if (span.traceId.length !== 16 || allZero(span.traceId)) return 'bad_trace_id';
  if (span.spanId.length !== 8 || allZero(span.spanId)) return 'bad_span_id';
  if (span.parentId.length !== 0 && span.parentId.length !== 8) return 'bad_parent_id';
  if (span.start < oldest) return 'too_old';
  if (span.start > newest) return 'too_new';
  for (const origin of [span.resource, span.scope]) {
    const bytes = Math.max(origin.message.length, origin.schemaUrl.length);
    if (bytes > limits.RESOURCE_BYTES_MAX) return 'resource_too_large';
  }
  return undefined;
}

function allZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
