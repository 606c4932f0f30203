// ExportTraceServiceRequest bytes as the spans that the query side would read back, for tests.

import type { Attribute, Resource, Scope, Span, SpanEvent } from '../../../span.ts';
import { readEvents, readLinks, readResource, readScope, readValue } from '../../otlp/read.ts';
import { WireReader } from '../../otlp/wire_reader.ts';

export function spansOf(request: Uint8Array): Span[] {
  const spans: Span[] = [];
  const reader = new WireReader(request);
  while (reader.next()) if (reader.field === 1) spans.push(...resourceSpans(reader.bytes()));
  return spans;
}

function resourceSpans(bytes: Uint8Array): Span[] {
  let resource = readResource(new Uint8Array(0), '');
  const scopes: Uint8Array[] = [];
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) resource = readResource(reader.bytes(), '');
    else if (reader.field === 2) scopes.push(reader.bytes());
    else reader.skip();
  }
  return scopes.flatMap((scope) => scopeSpans(scope, resource));
}

function scopeSpans(bytes: Uint8Array, resource: Resource): Span[] {
  const spans: Uint8Array[] = [];
  let [scope, schemaUrl] = [new Uint8Array(0) as Uint8Array, ''];
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) scope = reader.bytes();
    else if (reader.field === 2) spans.push(reader.bytes());
    else if (reader.field === 3) schemaUrl = reader.text();
    else reader.skip();
  }
  return spans.map((span) => readSpan(span, resource, readScope(scope, schemaUrl)));
}

function readSpan(bytes: Uint8Array, resource: Resource, scope: Scope): Span {
  const reader = new WireReader(bytes);
  const attributes: Attribute[] = [];
  const events: SpanEvent[] = [];
  let [traceId, spanId, parentSpanId, name, statusMessage] = ['', '', '', '', ''];
  let [kind, statusCode, start, end] = [0, 0, 0n, 0n];
  while (reader.next()) {
    if (reader.field === 1) traceId = reader.hex();
    else if (reader.field === 2) spanId = reader.hex();
    else if (reader.field === 4) parentSpanId = reader.hex();
    else if (reader.field === 5) name = reader.text();
    else if (reader.field === 6) kind = reader.uint32();
    else if (reader.field === 7) start = reader.fixed64();
    else if (reader.field === 8) end = reader.fixed64();
    else if (reader.field === 9) attributes.push(readAttribute(reader.message()));
    else if (reader.field === 11) events.push(...readEvents(delimited(reader.bytes())));
    else if (reader.field === 15) {
      const status = reader.message();
      while (status.next()) {
        if (status.field === 2) statusMessage = status.text();
        else if (status.field === 3) statusCode = status.uint32();
        else status.skip();
      }
    } else reader.skip();
  }
  const resourceName = resource.attributes.find(({ key }) => key === 'service.name')?.value;
  return {
    traceId,
    spanId,
    parentSpanId,
    name,
    service: resourceName?.type === 'string' ? resourceName.value : '',
    kind: kind as Span['kind'],
    startUnixNanos: start,
    durationNanos: end - start,
    statusCode: statusCode as Span['statusCode'],
    statusMessage,
    traceState: '',
    flags: 0,
    attributes,
    events,
    links: readLinks(new Uint8Array(0)),
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    resource,
    scope,
  };
}

function readAttribute(reader: WireReader): Attribute {
  let key = '';
  let value = readValue(new Uint8Array(0));
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) value = readValue(reader.bytes());
    else reader.skip();
  }
  return { key, value };
}

/** As stored: each event preceded by its length. */
function delimited(message: Uint8Array): Uint8Array {
  const length: number[] = [];
  for (let rest = message.length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      length.push(rest);
      break;
    }
    length.push((rest % 128) | 128);
  }
  return Buffer.concat([Uint8Array.from(length), message]);
}
