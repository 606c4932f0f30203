// Stored OTLP messages (columns attr_x, events, links, rest; resources and scopes by id) to the
// types of model/span.ts. Field numbers: README.md. Throws WireError on bytes that are not OTLP.

import { VALUE_DEPTH_MAX } from '../../limits.ts';
import type { Attribute, Resource, Scope, SpanEvent, SpanLink, Value } from '../../span.ts';
import { WireError, WireReader } from './wire_reader.ts';

/** What column `rest` holds beside unknown fields. */
export interface Rest {
  readonly traceState: string;
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
}

const EMPTY: Value = { type: 'empty' };
const NO_REST: Rest = {
  traceState: '',
  droppedAttributesCount: 0,
  droppedEventsCount: 0,
  droppedLinksCount: 0,
};

export function readRest(bytes: Uint8Array): Rest {
  if (bytes.length === 0) return NO_REST;
  const rest = { ...NO_REST };
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 3) rest.traceState = reader.text();
    else if (reader.field === 10) rest.droppedAttributesCount = reader.uint32();
    else if (reader.field === 12) rest.droppedEventsCount = reader.uint32();
    else if (reader.field === 14) rest.droppedLinksCount = reader.uint32();
    else reader.skip();
  }
  return rest;
}

export function readEvents(bytes: Uint8Array): SpanEvent[] {
  return readDelimited(bytes, readEvent);
}

export function readLinks(bytes: Uint8Array): SpanLink[] {
  return readDelimited(bytes, readLink);
}

/** The Resource message and the schema URL that stood beside it. */
export function readResource(bytes: Uint8Array, schemaUrl: string): Resource {
  const attributes: Attribute[] = [];
  let droppedAttributesCount = 0;
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) attributes.push(readAttribute(reader.message(), 1));
    else if (reader.field === 2) droppedAttributesCount = reader.uint32();
    else reader.skip();
  }
  return { attributes, droppedAttributesCount, schemaUrl };
}

/** The InstrumentationScope message and the schema URL that stood beside it. */
export function readScope(bytes: Uint8Array, schemaUrl: string): Scope {
  const attributes: Attribute[] = [];
  const scope = { name: '', version: '', attributes, droppedAttributesCount: 0, schemaUrl };
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) scope.name = reader.text();
    else if (reader.field === 2) scope.version = reader.text();
    else if (reader.field === 3) attributes.push(readAttribute(reader.message(), 1));
    else if (reader.field === 4) scope.droppedAttributesCount = reader.uint32();
    else reader.skip();
  }
  return scope;
}

/** One AnyValue message; no bytes at all are a value with nothing set. */
export function readValue(bytes: Uint8Array): Value {
  return bytes.length === 0 ? EMPTY : readAnyValue(new WireReader(bytes), 1);
}

function readDelimited<T>(bytes: Uint8Array, read: (reader: WireReader) => T): T[] {
  if (bytes.length === 0) return [];
  const messages: T[] = [];
  const reader = new WireReader(bytes);
  for (let one = reader.delimited(); one !== undefined; one = reader.delimited()) {
    messages.push(read(one));
  }
  return messages;
}

export function readEvent(reader: WireReader): SpanEvent {
  const attributes: Attribute[] = [];
  const event = { timeUnixNanos: 0n, name: '', attributes, droppedAttributesCount: 0 };
  while (reader.next()) {
    if (reader.field === 1) event.timeUnixNanos = reader.fixed64();
    else if (reader.field === 2) event.name = reader.text();
    else if (reader.field === 3) attributes.push(readAttribute(reader.message(), 1));
    else if (reader.field === 4) event.droppedAttributesCount = reader.uint32();
    else reader.skip();
  }
  return event;
}

export function readLink(reader: WireReader): SpanLink {
  const attributes: Attribute[] = [];
  const link = {
    traceId: '',
    spanId: '',
    traceState: '',
    attributes,
    droppedAttributesCount: 0,
    flags: 0,
  };
  while (reader.next()) {
    if (reader.field === 1) link.traceId = reader.hex();
    else if (reader.field === 2) link.spanId = reader.hex();
    else if (reader.field === 3) link.traceState = reader.text();
    else if (reader.field === 4) attributes.push(readAttribute(reader.message(), 1));
    else if (reader.field === 5) link.droppedAttributesCount = reader.uint32();
    else if (reader.field === 6) link.flags = reader.fixed32();
    else reader.skip();
  }
  return link;
}

export function readAttribute(reader: WireReader, depth: number): Attribute {
  let key = '';
  let value = EMPTY;
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) value = readAnyValue(reader.message(), depth);
    else reader.skip();
  }
  return { key, value };
}

/** Recursion is bounded by VALUE_DEPTH_MAX, which was checked when the bytes came in. */
function readAnyValue(reader: WireReader, depth: number): Value {
  if (depth > VALUE_DEPTH_MAX) throw new WireError('A stored value is nested too deeply.');
  let value = EMPTY;
  while (reader.next()) {
    if (reader.field === 1) value = { type: 'string', value: reader.text() };
    else if (reader.field === 2) value = { type: 'bool', value: reader.bool() };
    else if (reader.field === 3) value = { type: 'int', value: reader.int64() };
    else if (reader.field === 4) value = { type: 'double', value: reader.double() };
    else if (reader.field === 5) value = readArray(reader.message(), depth + 1);
    else if (reader.field === 6) value = readMap(reader.message(), depth + 1);
    else if (reader.field === 7) value = { type: 'bytes', value: reader.bytes() };
    else reader.skip();
  }
  return value;
}

function readArray(reader: WireReader, depth: number): Value {
  const value: Value[] = [];
  while (reader.next()) {
    if (reader.field === 1) value.push(readAnyValue(reader.message(), depth));
    else reader.skip();
  }
  return { type: 'array', value };
}

function readMap(reader: WireReader, depth: number): Value {
  const value: Attribute[] = [];
  while (reader.next()) {
    if (reader.field === 1) value.push(readAttribute(reader.message(), depth));
    else reader.skip();
  }
  return { type: 'map', value };
}
