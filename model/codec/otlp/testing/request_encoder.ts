// Plain objects to OTLP bytes by protobufjs, from a descriptor of its own: nothing of our codec is
// in it, so that it can check our codec.

import protobuf from 'protobufjs';
import type { PlainRequest } from './plain_request.ts';

/** Fields that no version of OTLP has, one of each wire type, on every message. */
const UNKNOWN_FIELDS = {
  unknownVarint: { id: 1001, type: 'uint64' },
  unknownFixed64: { id: 1002, type: 'fixed64' },
  unknownBytes: { id: 1003, type: 'bytes' },
  unknownFixed32: { id: 90, type: 'fixed32' },
};

type FieldRule = { id: number; type: string; rule?: 'repeated' };

function message(fields: Record<string, FieldRule>) {
  return { fields: { ...fields, ...UNKNOWN_FIELDS } };
}

function repeated(id: number, type: string): FieldRule {
  return { id, type, rule: 'repeated' };
}

const DESCRIPTOR = {
  nested: {
    Request: message({ resourceSpans: repeated(1, 'ResourceSpans') }),
    ResourceSpans: message({
      resource: { id: 1, type: 'Resource' },
      scopeSpans: repeated(2, 'ScopeSpans'),
      schemaUrl: { id: 3, type: 'string' },
    }),
    Resource: message({
      attributes: repeated(1, 'KeyValue'),
      droppedAttributesCount: { id: 2, type: 'uint32' },
      entityRefs: repeated(3, 'EntityRef'),
    }),
    EntityRef: message({ schemaUrl: { id: 1, type: 'string' }, type: { id: 2, type: 'string' } }),
    ScopeSpans: message({
      scope: { id: 1, type: 'Scope' },
      spans: repeated(2, 'Span'),
      schemaUrl: { id: 3, type: 'string' },
    }),
    Scope: message({
      name: { id: 1, type: 'string' },
      version: { id: 2, type: 'string' },
      attributes: repeated(3, 'KeyValue'),
      droppedAttributesCount: { id: 4, type: 'uint32' },
    }),
    Span: message({
      traceId: { id: 1, type: 'bytes' },
      spanId: { id: 2, type: 'bytes' },
      traceState: { id: 3, type: 'string' },
      parentSpanId: { id: 4, type: 'bytes' },
      name: { id: 5, type: 'string' },
      kind: { id: 6, type: 'int32' },
      startTimeUnixNano: { id: 7, type: 'fixed64' },
      endTimeUnixNano: { id: 8, type: 'fixed64' },
      attributes: repeated(9, 'KeyValue'),
      droppedAttributesCount: { id: 10, type: 'uint32' },
      events: repeated(11, 'Event'),
      droppedEventsCount: { id: 12, type: 'uint32' },
      links: repeated(13, 'Link'),
      droppedLinksCount: { id: 14, type: 'uint32' },
      status: { id: 15, type: 'Status' },
      flags: { id: 16, type: 'fixed32' },
    }),
    Event: message({
      timeUnixNano: { id: 1, type: 'fixed64' },
      name: { id: 2, type: 'string' },
      attributes: repeated(3, 'KeyValue'),
      droppedAttributesCount: { id: 4, type: 'uint32' },
    }),
    Link: message({
      traceId: { id: 1, type: 'bytes' },
      spanId: { id: 2, type: 'bytes' },
      traceState: { id: 3, type: 'string' },
      attributes: repeated(4, 'KeyValue'),
      droppedAttributesCount: { id: 5, type: 'uint32' },
      flags: { id: 6, type: 'fixed32' },
    }),
    Status: message({ message: { id: 2, type: 'string' }, code: { id: 3, type: 'int32' } }),
    KeyValue: message({ key: { id: 1, type: 'string' }, value: { id: 2, type: 'AnyValue' } }),
    AnyValue: message({
      stringValue: { id: 1, type: 'string' },
      boolValue: { id: 2, type: 'bool' },
      intValue: { id: 3, type: 'int64' },
      doubleValue: { id: 4, type: 'double' },
      arrayValue: { id: 5, type: 'ArrayValue' },
      kvlistValue: { id: 6, type: 'KeyValueList' },
      bytesValue: { id: 7, type: 'bytes' },
    }),
    ArrayValue: message({ values: repeated(1, 'AnyValue') }),
    KeyValueList: message({ values: repeated(1, 'KeyValue') }),
  },
};

const Request = protobuf.Root.fromJSON(DESCRIPTOR).lookupType('Request');

/** Fields that are there are written, also with their default value; in the order of their ids. */
export function encodeRequest(request: PlainRequest): Uint8Array {
  return new Uint8Array(Request.encode(Request.fromObject(request)).finish());
}
