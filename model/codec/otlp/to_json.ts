// Spans as OTLP/JSON (OTLP 1.11, "JSON Protobuf Encoding"): ids in hex, enums by number, 64-bit
// integers as strings, defaults left out. Built as text, in pieces: a trace of 10,000 spans is 10 MB.
// `resource`, `scope` and `status` are always there, as Jaeger and the Collector write them.

import type { Attribute, Resource, Scope, Span, SpanEvent, SpanLink, Value } from '../../span.ts';
import { base64, doubleJson, textJson } from '../json_text.ts';
import { groupSpans } from './encode.ts';

/** Pieces of about this size: large enough for a socket, small enough to be made at once. */
const PIECE_CHARS = 64 * 1024;

/** The members of a `resourceSpans` array, without its brackets, in pieces. */
export function* resourceSpansJson(spans: readonly Span[]): Generator<string, void> {
  let piece = '';
  let beforeResource = '';
  for (const [resource, byScope] of groupSpans(spans)) {
    piece += `${beforeResource}{"resource":${resourceJson(resource)},"scopeSpans":[`;
    beforeResource = ',';
    let beforeScope = '';
    for (const [scope, members] of byScope) {
      piece += `${beforeScope}{"scope":${scopeJson(scope)},"spans":[`;
      beforeScope = ',';
      let beforeSpan = '';
      for (const span of members) {
        piece += beforeSpan + spanJson(span);
        beforeSpan = ',';
        if (piece.length >= PIECE_CHARS) {
          yield piece;
          piece = '';
        }
      }
      piece += `]${textField('schemaUrl', scope.schemaUrl)}}`;
    }
    piece += `]${textField('schemaUrl', resource.schemaUrl)}}`;
  }
  if (piece !== '') yield piece;
}

function resourceJson(resource: Resource): string {
  return object(
    attributesField(resource.attributes) +
      countField('droppedAttributesCount', resource.droppedAttributesCount),
  );
}

function scopeJson(scope: Scope): string {
  return object(
    textField('name', scope.name) +
      textField('version', scope.version) +
      attributesField(scope.attributes) +
      countField('droppedAttributesCount', scope.droppedAttributesCount),
  );
}

function spanJson(span: Span): string {
  const end = BigInt.asUintN(64, span.startUnixNanos + span.durationNanos);
  return (
    `{"traceId":"${span.traceId}","spanId":"${span.spanId}"` +
    textField('traceState', span.traceState) +
    textField('parentSpanId', span.parentSpanId) +
    textField('name', span.name) +
    countField('kind', span.kind) +
    nanosField('startTimeUnixNano', BigInt.asUintN(64, span.startUnixNanos)) +
    nanosField('endTimeUnixNano', end) +
    attributesField(span.attributes) +
    countField('droppedAttributesCount', span.droppedAttributesCount) +
    listField('events', span.events.map(eventJson)) +
    countField('droppedEventsCount', span.droppedEventsCount) +
    listField('links', span.links.map(linkJson)) +
    countField('droppedLinksCount', span.droppedLinksCount) +
    `,"status":${object(textField('message', span.statusMessage) + countField('code', span.statusCode))}` +
    `${countField('flags', span.flags)}}`
  );
}

function eventJson(event: SpanEvent): string {
  return object(
    nanosField('timeUnixNano', event.timeUnixNanos) +
      textField('name', event.name) +
      attributesField(event.attributes) +
      countField('droppedAttributesCount', event.droppedAttributesCount),
  );
}

function linkJson(link: SpanLink): string {
  return object(
    textField('traceId', link.traceId) +
      textField('spanId', link.spanId) +
      textField('traceState', link.traceState) +
      attributesField(link.attributes) +
      countField('droppedAttributesCount', link.droppedAttributesCount) +
      countField('flags', link.flags),
  );
}

/** An object of fields that each begin with a comma. */
function object(fields: string): string {
  return `{${fields.slice(1)}}`;
}

function textField(key: string, text: string): string {
  return text === '' ? '' : `,"${key}":${textJson(text)}`;
}

function countField(key: string, count: number): string {
  return count === 0 ? '' : `,"${key}":${count}`;
}

function nanosField(key: string, nanos: bigint): string {
  return nanos === 0n ? '' : `,"${key}":"${nanos}"`;
}

function listField(key: string, items: readonly string[]): string {
  return items.length === 0 ? '' : `,"${key}":[${items.join(',')}]`;
}

function attributesField(attributes: readonly Attribute[]): string {
  return attributes.length === 0 ? '' : `,"attributes":[${attributesJson(attributes)}]`;
}

function attributesJson(attributes: readonly Attribute[]): string {
  let list = '';
  for (const { key, value } of attributes) {
    list += `${list === '' ? '' : ','}{"key":${textJson(key)},"value":${valueJson(value)}}`;
  }
  return list;
}

/** Nested as deep as the check lets in (VALUE_DEPTH_MAX). */
function valueJson(value: Value): string {
  switch (value.type) {
    case 'string':
      return `{"stringValue":${textJson(value.value)}}`;
    case 'bool':
      return `{"boolValue":${value.value}}`;
    case 'int':
      return `{"intValue":"${value.value}"}`;
    case 'double':
      return `{"doubleValue":${doubleJson(value.value)}}`;
    case 'bytes':
      return `{"bytesValue":"${base64(value.value)}"}`;
    case 'array':
      return `{"arrayValue":{"values":[${value.value.map(valueJson).join(',')}]}}`;
    case 'map':
      return `{"kvlistValue":{"values":[${attributesJson(value.value)}]}}`;
    case 'empty':
      return '{}';
  }
}
