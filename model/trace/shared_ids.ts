// Zipkin's clients and servers may share one span id. Readers that know one id a span (Jaeger's)
// need two, so the server's half gets an id of its own below the client's half.

import type { Span } from '../span.ts';

const SERVER = 2;
const CLIENT = 3;

/**
 * The spans, with server spans that share the id of a client span renamed to the lowest ids that
 * are free in the trace; the old id becomes their parent, and its children become theirs. The very
 * same list where none is shared.
 */
export function separateSharedIds(spans: readonly Span[]): readonly Span[] {
  const clients = new Set<string>();
  for (const span of spans) if (span.kind === CLIENT) clients.add(span.spanId);
  const isShared = (span: Span): boolean => span.kind === SERVER && clients.has(span.spanId);
  if (!spans.some(isShared)) return spans;
  const used = new Set(spans.map((span) => span.spanId));
  const newIds = new Map<string, string>();
  let last = 0n;
  for (const span of spans) {
    if (!isShared(span) || newIds.has(span.spanId)) continue;
    let id: string;
    do id = (++last).toString(16).padStart(16, '0');
    while (used.has(id));
    newIds.set(span.spanId, id);
  }
  return spans.map((span) => {
    if (isShared(span)) {
      return { ...span, spanId: newIds.get(span.spanId)!, parentSpanId: span.spanId };
    }
    const parentSpanId = newIds.get(span.parentSpanId);
    return parentSpanId === undefined ? span : { ...span, parentSpanId };
  });
}
