// One trace of Zipkin spans, put together as Zipkin does before it looks at who called whom: what
// was reported in several pieces becomes one span, and what instrumentation left out of shared spans
// is filled in. Its query API shows spans as they came; only links are made from this.

import type { Endpoint, V2Span } from '../codec/zipkin/v1_span.ts';

/** Spans of one trace, whatever the width of their trace ids. The ones given are left as they are. */
export function mergeSpans(spans: readonly V2Span[]): V2Span[] {
  const traceId = spans.find((span) => span.traceId.length === 32)?.traceId ?? spans[0]?.traceId;
  const merged: V2Span[] = [];
  let endpoint: Endpoint = {};
  for (const span of [...spans].sort(inOrder)) {
    const last = merged.at(-1);
    const joined = isSameId(last, span) ? joinEndpoints(endpoint, span.localEndpoint) : undefined;
    if (joined !== undefined) {
      endpoint = joined;
      merged[merged.length - 1] = join(last as V2Span, span);
      continue;
    }
    endpoint = span.localEndpoint ?? {};
    merged.push(span.traceId === traceId ? span : { ...span, traceId: traceId as string });
  }
  return merged.map((span, i) => repair(span, merged[i - 1]));
}

function isSameId(a: V2Span | undefined, b: V2Span): boolean {
  return a?.id === b.id && (a.shared ?? false) === (b.shared ?? false);
}

/** By id, then a client before others, shared ones last, then by endpoint. */
function inOrder(a: V2Span, b: V2Span): number {
  return (
    compareText(a.id, b.id) ||
    rank(a) - rank(b) ||
    compareEndpoints(a.localEndpoint, b.localEndpoint)
  );
}

function rank(span: V2Span): number {
  if (span.shared) return 2;
  return span.kind === 'CLIENT' ? 0 : 1;
}

/** None first; a missing part last. */
function compareEndpoints(a: Endpoint | undefined, b: Endpoint | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return (
    compareText(a.serviceName, b.serviceName) ||
    compareText(a.ipv4, b.ipv4) ||
    compareText(a.ipv6, b.ipv6)
  );
}

function compareText(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return a < b ? -1 : 1;
}

/** undefined where they contradict each other. */
function joinEndpoints(a: Endpoint, b: Endpoint | undefined): Endpoint | undefined {
  if (b === undefined) return a;
  for (const key of ['serviceName', 'ipv4', 'ipv6', 'port'] as const) {
    if (a[key] !== undefined && b[key] !== undefined && a[key] !== b[key]) return undefined;
  }
  return { ...b, ...a };
}

/** What the first one says counts, but for tags. */
function join(a: V2Span, b: V2Span): V2Span {
  const localEndpoint = joinParts(a.localEndpoint, b.localEndpoint);
  const remoteEndpoint = joinParts(a.remoteEndpoint, b.remoteEndpoint);
  const annotations = [...(a.annotations ?? []), ...(b.annotations ?? [])];
  return {
    ...b,
    ...a,
    ...(localEndpoint === undefined ? {} : { localEndpoint }),
    ...(remoteEndpoint === undefined ? {} : { remoteEndpoint }),
    ...(annotations.length === 0 ? {} : { annotations: distinct(annotations) }),
    ...(a.tags === undefined && b.tags === undefined ? {} : { tags: { ...a.tags, ...b.tags } }),
  };
}

function joinParts(a: Endpoint | undefined, b: Endpoint | undefined): Endpoint | undefined {
  return a === undefined || b === undefined ? (a ?? b) : { ...b, ...a };
}

type Annotation = NonNullable<V2Span['annotations']>[number];

function distinct(annotations: readonly Annotation[]): Annotation[] {
  const byText = new Map(annotations.map((one) => [`${one.timestamp} ${one.value}`, one]));
  return [...byText.values()];
}

/** `before` stands right before it; a client does so before the servers that share its id. */
function repair(span: V2Span, before: V2Span | undefined): V2Span {
  if (before?.id !== span.id) return span;
  const shared = span.shared || (before.kind === 'CLIENT' && span.kind === 'SERVER');
  if (!shared) return span;
  const parentId = span.parentId ?? before.parentId;
  return { ...span, shared: true, ...(parentId === undefined ? {} : { parentId }) };
}
