// An ExportTraceServiceRequest as plain objects; all of it is read and checked before anything is
// said about it. Rules: ../README.md, "Reading protobuf".

import type { Limits } from './limits.ts';
import { readAttribute, type TwinAttribute } from './value.ts';
import {
  allBytes,
  type KnownFields,
  lastBytes,
  lastNumber,
  readMessage,
  type WireType,
} from './wire.ts';

/** A Resource or InstrumentationScope; `message` is empty where none was sent. */
export interface TwinOrigin {
  readonly message: Uint8Array;
  readonly schemaUrl: Uint8Array;
  /** Of a scope only. */
  readonly name: Uint8Array;
  readonly version: Uint8Array;
  readonly attributes: readonly TwinAttribute[];
}

/** An Event or a Link; a link has no name. */
export interface TwinNote {
  readonly message: Uint8Array;
  readonly name: Uint8Array;
  readonly attributes: readonly TwinAttribute[];
}

export interface TwinSpan {
  readonly message: Uint8Array;
  readonly resource: TwinOrigin;
  readonly scope: TwinOrigin;
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentId: Uint8Array;
  readonly name: Uint8Array;
  readonly kind: bigint;
  readonly start: bigint;
  readonly end: bigint;
  readonly statusCode: bigint;
  readonly statusMessage: Uint8Array;
  readonly flags: bigint;
  readonly attributes: readonly TwinAttribute[];
  readonly events: readonly TwinNote[];
  readonly links: readonly TwinNote[];
  /** The dropped counts as sent. */
  readonly droppedAttributes: bigint;
  readonly droppedEvents: bigint;
  readonly droppedLinks: bigint;
  /** The fields that no column holds, as they came. */
  readonly rest: readonly Uint8Array[];
}

const NONE = new Uint8Array(0);
const REQUEST = known({ 1: 2 });
const RESOURCE_SPANS = known({ 1: 2, 2: 2, 3: 2 });
const RESOURCE = known({ 1: 2, 2: 0, 3: 2 });
const SCOPE_SPANS = known({ 1: 2, 2: 2, 3: 2 });
const SCOPE = known({ 1: 2, 2: 2, 3: 2, 4: 0 });
const SPAN = known({
  ...{ 1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 0, 7: 1, 8: 1 },
  ...{ 9: 2, 10: 0, 11: 2, 12: 0, 13: 2, 14: 0, 15: 2, 16: 5 },
});
const SPAN_COLUMNS = new Set([1, 2, 4, 5, 6, 7, 8, 9, 11, 13, 15, 16]);
const EVENT = known({ 1: 1, 2: 2, 3: 2, 4: 0 });
const LINK = known({ 1: 2, 2: 2, 3: 2, 4: 2, 5: 0, 6: 5 });
const STATUS = known({ 2: 2, 3: 0 });

/** Every span of the request, in the order sent. Throws MalformedError. */
export function readRequest(bytes: Uint8Array, limits: Limits): TwinSpan[] {
  const resourceSpans = allBytes(readMessage(bytes, REQUEST), 1);
  return resourceSpans.flatMap((message) => readResourceSpans(message, limits));
}

function readResourceSpans(message: Uint8Array, limits: Limits): TwinSpan[] {
  const fields = readMessage(message, RESOURCE_SPANS);
  const schemaUrl = lastBytes(fields, 3);
  const resources = allBytes(fields, 1).map((resource): TwinOrigin => {
    const attributes = readAttributes(readAll(resource, RESOURCE, 1), limits);
    return { message: resource, schemaUrl, name: NONE, version: NONE, attributes };
  });
  const resource = resources.at(-1) ?? noOrigin(schemaUrl);
  return allBytes(fields, 2).flatMap((inner) => readScopeSpans(inner, resource, limits));
}

function readScopeSpans(message: Uint8Array, resource: TwinOrigin, limits: Limits): TwinSpan[] {
  const fields = readMessage(message, SCOPE_SPANS);
  const schemaUrl = lastBytes(fields, 3);
  const scopes = allBytes(fields, 1).map((scope): TwinOrigin => {
    const inner = readMessage(scope, SCOPE);
    const attributes = readAttributes(allBytes(inner, 3), limits);
    const [name, version] = [lastBytes(inner, 1), lastBytes(inner, 2)];
    return { message: scope, schemaUrl, name, version, attributes };
  });
  const scope = scopes.at(-1) ?? noOrigin(schemaUrl);
  return allBytes(fields, 2).map((span) => readSpan(span, resource, scope, limits));
}

function readSpan(
  message: Uint8Array,
  resource: TwinOrigin,
  scope: TwinOrigin,
  limits: Limits,
): TwinSpan {
  const fields = readMessage(message, SPAN);
  const statuses = allBytes(fields, 15).map((status) => readMessage(status, STATUS));
  const status = statuses.at(-1) ?? [];
  return {
    message,
    resource,
    scope,
    traceId: lastBytes(fields, 1),
    spanId: lastBytes(fields, 2),
    parentId: lastBytes(fields, 4),
    name: lastBytes(fields, 5),
    kind: lastNumber(fields, 6),
    start: lastNumber(fields, 7),
    end: lastNumber(fields, 8),
    statusCode: lastNumber(status, 3),
    statusMessage: lastBytes(status, 2),
    flags: lastNumber(fields, 16),
    attributes: readAttributes(allBytes(fields, 9), limits),
    events: allBytes(fields, 11).map((event) => readNote(event, EVENT, 3, limits)),
    links: allBytes(fields, 13).map((link) => readNote(link, LINK, 4, limits)),
    droppedAttributes: lastNumber(fields, 10),
    droppedEvents: lastNumber(fields, 12),
    droppedLinks: lastNumber(fields, 14),
    rest: fields.filter((field) => !SPAN_COLUMNS.has(field.number)).map((field) => field.raw),
  };
}

function readNote(
  message: Uint8Array,
  fieldTypes: KnownFields,
  attributesField: number,
  limits: Limits,
): TwinNote {
  const fields = readMessage(message, fieldTypes);
  return {
    message,
    name: fieldTypes === EVENT ? lastBytes(fields, 2) : NONE,
    attributes: readAttributes(allBytes(fields, attributesField), limits),
  };
}

function readAll(message: Uint8Array, fieldTypes: KnownFields, number: number): Uint8Array[] {
  return allBytes(readMessage(message, fieldTypes), number);
}

function readAttributes(messages: readonly Uint8Array[], limits: Limits): TwinAttribute[] {
  return messages.map((message) => readAttribute(message, limits));
}

function noOrigin(schemaUrl: Uint8Array): TwinOrigin {
  return { message: NONE, schemaUrl, name: NONE, version: NONE, attributes: [] };
}

function known(types: Readonly<Record<number, WireType>>): KnownFields {
  return new Map(Object.entries(types).map(([number, type]) => [Number(number), type]));
}
