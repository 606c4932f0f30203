// A trace as an ExportTraceServiceRequest again: spans grouped under their resource and scope
// objects, fields in the order of their numbers, defaults left out as proto3 has it.

import type { Attribute, Resource, Scope, Span, SpanEvent, SpanLink, Value } from '../../span.ts';
import { ProtoWriter } from './proto_writer.ts';

/** A guess of what a span takes, to start with a buffer that seldom grows. */
const SPAN_BYTES_TYPICAL = 512;

/** Spans that share a Resource (Scope) object come under one ResourceSpans (ScopeSpans). */
export function encodeSpans(spans: readonly Span[]): Uint8Array {
  const writer = new ProtoWriter(spans.length * SPAN_BYTES_TYPICAL);
  for (const [resource, byScope] of groupSpans(spans)) {
    const resourceSpans = writer.begin(1);
    writeResource(writer, resource);
    for (const [scope, members] of byScope) {
      const scopeSpans = writer.begin(2);
      writeScope(writer, scope);
      for (const span of members) writeSpan(writer, span);
      if (scope.schemaUrl !== '') writer.string(3, scope.schemaUrl);
      writer.end(scopeSpans);
    }
    if (resource.schemaUrl !== '') writer.string(3, resource.schemaUrl);
    writer.end(resourceSpans);
  }
  return writer.finish();
}

/** Spans that share a Resource (Scope) object stand together, in the order of their first one. */
export function groupSpans(spans: readonly Span[]): Map<Resource, Map<Scope, Span[]>> {
  const groups = new Map<Resource, Map<Scope, Span[]>>();
  for (const span of spans) {
    let byScope = groups.get(span.resource);
    if (byScope === undefined) {
      byScope = new Map();
      groups.set(span.resource, byScope);
    }
    const members = byScope.get(span.scope);
    if (members === undefined) byScope.set(span.scope, [span]);
    else members.push(span);
  }
  return groups;
}

function writeResource(writer: ProtoWriter, resource: Resource): void {
  const mark = writer.begin(1);
  writeAttributes(writer, 1, resource.attributes);
  writeCount(writer, 2, resource.droppedAttributesCount);
  writer.end(mark);
}

function writeScope(writer: ProtoWriter, scope: Scope): void {
  const mark = writer.begin(1);
  if (scope.name !== '') writer.string(1, scope.name);
  if (scope.version !== '') writer.string(2, scope.version);
  writeAttributes(writer, 3, scope.attributes);
  writeCount(writer, 4, scope.droppedAttributesCount);
  writer.end(mark);
}

function writeSpan(writer: ProtoWriter, span: Span): void {
  const mark = writer.begin(2);
  writer.bytes(1, Buffer.from(span.traceId, 'hex'));
  writer.bytes(2, Buffer.from(span.spanId, 'hex'));
  if (span.traceState !== '') writer.string(3, span.traceState);
  if (span.parentSpanId !== '') writer.bytes(4, Buffer.from(span.parentSpanId, 'hex'));
  if (span.name !== '') writer.string(5, span.name);
  writeCount(writer, 6, span.kind);
  writer.fixed64(7, BigInt.asUintN(64, span.startUnixNanos));
  writer.fixed64(8, BigInt.asUintN(64, span.startUnixNanos + span.durationNanos));
  writeAttributes(writer, 9, span.attributes);
  writeCount(writer, 10, span.droppedAttributesCount);
  for (const event of span.events) writeEvent(writer, event);
  writeCount(writer, 12, span.droppedEventsCount);
  for (const link of span.links) writeLink(writer, link);
  writeCount(writer, 14, span.droppedLinksCount);
  writeStatus(writer, span);
  if (span.flags !== 0) writer.fixed32(16, span.flags);
  writer.end(mark);
}

function writeStatus(writer: ProtoWriter, span: Span): void {
  if (span.statusCode === 0 && span.statusMessage === '') return;
  const mark = writer.begin(15);
  if (span.statusMessage !== '') writer.string(2, span.statusMessage);
  writeCount(writer, 3, span.statusCode);
  writer.end(mark);
}

function writeEvent(writer: ProtoWriter, event: SpanEvent): void {
  const mark = writer.begin(11);
  writer.fixed64(1, event.timeUnixNanos);
  if (event.name !== '') writer.string(2, event.name);
  writeAttributes(writer, 3, event.attributes);
  writeCount(writer, 4, event.droppedAttributesCount);
  writer.end(mark);
}

function writeLink(writer: ProtoWriter, link: SpanLink): void {
  const mark = writer.begin(13);
  writer.bytes(1, Buffer.from(link.traceId, 'hex'));
  writer.bytes(2, Buffer.from(link.spanId, 'hex'));
  if (link.traceState !== '') writer.string(3, link.traceState);
  writeAttributes(writer, 4, link.attributes);
  writeCount(writer, 5, link.droppedAttributesCount);
  if (link.flags !== 0) writer.fixed32(6, link.flags);
  writer.end(mark);
}

function writeCount(writer: ProtoWriter, field: number, count: number): void {
  if (count !== 0) writer.uint(field, count);
}

function writeAttributes(
  writer: ProtoWriter,
  field: number,
  attributes: readonly Attribute[],
): void {
  for (const attribute of attributes) {
    const mark = writer.begin(field);
    if (attribute.key !== '') writer.string(1, attribute.key);
    writeValue(writer, 2, attribute.value);
    writer.end(mark);
  }
}

/** A member of a oneof is written even where it is its type's default: being there is the point. */
function writeValue(writer: ProtoWriter, field: number, value: Value): void {
  const mark = writer.begin(field);
  if (value.type === 'string') writer.string(1, value.value);
  else if (value.type === 'bool') writer.uint(2, value.value ? 1 : 0);
  else if (value.type === 'int') writer.int(3, value.value);
  else if (value.type === 'double') writer.double(4, value.value);
  else if (value.type === 'array') {
    const list = writer.begin(5);
    for (const item of value.value) writeValue(writer, 1, item);
    writer.end(list);
  } else if (value.type === 'map') {
    const list = writer.begin(6);
    writeAttributes(writer, 1, value.value);
    writer.end(list);
  } else if (value.type === 'bytes') writer.bytes(7, value.value);
  writer.end(mark);
}
