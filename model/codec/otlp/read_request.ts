// A whole ExportTraceServiceRequest (or TracesData: the same on the wire) to the types of
// model/span.ts. Throws WireError on bytes that are not OTLP. What is stored never comes this way:
// it is for spans that are only to be shown again.

import { UNKNOWN_SERVICE } from '../../limits.ts';
import type {
  Attribute,
  Resource,
  Scope,
  Span,
  SpanEvent,
  SpanKind,
  SpanLink,
  StatusCode,
} from '../../span.ts';
import { readAttribute, readEvent, readLink, readResource, readScope } from './read.ts';
import type { WireReader } from './wire_reader.ts';

const NOTHING = new Uint8Array(0);

/** Spans in the order sent; those of one ResourceSpans (ScopeSpans) share their Resource (Scope). */
export function* readSpans(request: WireReader): Generator<Span, void> {
  while (request.next()) {
    if (request.field === 1) yield* readResourceSpans(request.message());
    else request.skip();
  }
}

function* readResourceSpans(reader: WireReader): Generator<Span, void> {
  let bytes: Uint8Array = NOTHING;
  let schemaUrl = '';
  const scopeSpans: WireReader[] = [];
  while (reader.next()) {
    if (reader.field === 1) bytes = reader.bytes();
    else if (reader.field === 2) scopeSpans.push(reader.message());
    else if (reader.field === 3) schemaUrl = reader.text();
    else reader.skip();
  }
  const resource = readResource(bytes, schemaUrl);
  const service = serviceOf(resource);
  for (const one of scopeSpans) yield* readScopeSpans(one, resource, service);
}

function* readScopeSpans(
  reader: WireReader,
  resource: Resource,
  service: string,
): Generator<Span, void> {
  let bytes: Uint8Array = NOTHING;
  let schemaUrl = '';
  const spans: WireReader[] = [];
  while (reader.next()) {
    if (reader.field === 1) bytes = reader.bytes();
    else if (reader.field === 2) spans.push(reader.message());
    else if (reader.field === 3) schemaUrl = reader.text();
    else reader.skip();
  }
  const scope = readScope(bytes, schemaUrl);
  for (const one of spans) yield readSpan(one, resource, scope, service);
}

/** As the rows have it: the last `service.name`, where it is a text. */
function serviceOf(resource: Resource): string {
  const name = resource.attributes.findLast(({ key }) => key === 'service.name')?.value;
  return name?.type === 'string' && name.value !== '' ? name.value : UNKNOWN_SERVICE;
}

function readSpan(reader: WireReader, resource: Resource, scope: Scope, service: string): Span {
  const attributes: Attribute[] = [];
  const events: SpanEvent[] = [];
  const links: SpanLink[] = [];
  const span = {
    traceId: '',
    spanId: '',
    parentSpanId: '',
    name: '',
    service,
    kind: 0 as SpanKind,
    startUnixNanos: 0n,
    durationNanos: 0n,
    statusCode: 0 as StatusCode,
    statusMessage: '',
    traceState: '',
    flags: 0,
    attributes,
    events,
    links,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    resource,
    scope,
  };
  let endUnixNanos = 0n;
  while (reader.next()) {
    if (reader.field === 1) span.traceId = reader.hex();
    else if (reader.field === 2) span.spanId = reader.hex();
    else if (reader.field === 3) span.traceState = reader.text();
    else if (reader.field === 4) span.parentSpanId = reader.hex();
    else if (reader.field === 5) span.name = reader.text();
    else if (reader.field === 6) span.kind = upTo(5, reader.int64()) as SpanKind;
    else if (reader.field === 7) span.startUnixNanos = reader.fixed64();
    else if (reader.field === 8) endUnixNanos = reader.fixed64();
    else if (reader.field === 9) attributes.push(readAttribute(reader.message(), 1));
    else if (reader.field === 10) span.droppedAttributesCount = reader.uint32();
    else if (reader.field === 11) events.push(readEvent(reader.message()));
    else if (reader.field === 12) span.droppedEventsCount = reader.uint32();
    else if (reader.field === 13) links.push(readLink(reader.message()));
    else if (reader.field === 14) span.droppedLinksCount = reader.uint32();
    else if (reader.field === 15) readStatus(reader.message(), span);
    else if (reader.field === 16) span.flags = reader.fixed32();
    else reader.skip();
  }
  span.durationNanos = BigInt.asIntN(64, endUnixNanos - span.startUnixNanos);
  return span;
}

function readStatus(
  reader: WireReader,
  into: { statusCode: StatusCode; statusMessage: string },
): void {
  while (reader.next()) {
    if (reader.field === 2) into.statusMessage = reader.text();
    else if (reader.field === 3) into.statusCode = upTo(2, reader.int64()) as StatusCode;
    else reader.skip();
  }
}

/** Numbers of an enum that are unknown count as its first one, as in the rows. */
function upTo(max: number, value: bigint): number {
  return value >= 0n && value <= BigInt(max) ? Number(value) : 0;
}
