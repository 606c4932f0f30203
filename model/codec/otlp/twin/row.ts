// A kept span as a row object. Rules: ../README.md, "Hashes" and "Rows".

import { xxh64 } from '../../../hash.ts';
import { UNKNOWN_SERVICE } from '../../../limits.ts';
import type { Limits } from './limits.ts';
import type { Pair } from './native.ts';
import type { TwinNote, TwinOrigin, TwinSpan } from './request.ts';
import { doubleOf, plainText, type TwinAttribute, utf8 } from './value.ts';
import { encodeVarint } from './wire.ts';

/** What the limits took away from rows. */
export interface Losses {
  droppedAttributes: number;
  droppedEvents: number;
  droppedLinks: number;
  cutValues: number;
}

/** The columns that a resource and a scope fill, on the row that carries them. */
export interface OriginCells {
  readonly message: Uint8Array;
  readonly schemaUrl: Uint8Array;
  readonly attributes: readonly Pair[];
}

/** Named as the columns are; 64-bit columns and the bits of doubles are unsigned bigints. */
export interface Row {
  readonly tenant: Uint8Array;
  readonly trace_lo: bigint;
  readonly trace_hi: bigint;
  readonly span_id: bigint;
  readonly parent_id: bigint;
  readonly h: bigint;
  readonly ts: bigint;
  readonly duration: bigint;
  readonly service: Uint8Array;
  readonly name: Uint8Array;
  readonly kind: bigint;
  readonly status: bigint;
  readonly status_message: Uint8Array;
  readonly flags: bigint;
  readonly resource_id: bigint;
  readonly scope_id: bigint;
  readonly attr_s: readonly Pair[];
  readonly attr_i: readonly Pair[];
  readonly attr_d: readonly Pair[];
  readonly attr_b: readonly Pair[];
  readonly attr_x: readonly Pair[];
  readonly events: Uint8Array;
  readonly links: Uint8Array;
  readonly rest: Uint8Array;
  readonly event_kv: readonly bigint[];
  /** Not cells yet: only the first row of a block and day writes them. */
  readonly resource: OriginCells;
  readonly scope: OriginCells;
}

const NONE = new Uint8Array(0);

/** Adds what is lost to `losses`. */
export function rowOf(span: TwinSpan, tenant: string, limits: Limits, losses: Losses): Row {
  const { resource, scope } = span;
  const resourceId = originHash(resource);
  const scopeId = originHash(scope);
  const kept = keepNotes(span, limits);
  const attributes = keepAttributes(span.attributes, limits, losses);
  const dropped = {
    attributes: attributes.dropped,
    events: span.events.length - kept.events.length,
    links: span.links.length - kept.links.length,
  };
  losses.droppedAttributes += dropped.attributes;
  losses.droppedEvents += dropped.events;
  losses.droppedLinks += dropped.links;
  return {
    tenant: utf8(tenant),
    trace_lo: bigEndian(span.traceId.subarray(8)),
    trace_hi: bigEndian(span.traceId.subarray(0, 8)),
    span_id: bigEndian(span.spanId),
    parent_id: bigEndian(span.parentId),
    h: BigInt.asUintN(32, xxh64(span.message, resourceId ^ rotateHalf(scopeId))),
    ts: span.start,
    duration: BigInt.asUintN(64, span.end - span.start),
    service: serviceOf(resource, limits),
    name: cutCounted(span.name, limits.NAME_BYTES_MAX, losses),
    kind: span.kind <= 5n ? span.kind : 0n,
    status: span.statusCode <= 2n ? span.statusCode : 0n,
    status_message: cutCounted(span.statusMessage, limits.STRING_VALUE_BYTES_MAX, losses),
    flags: span.flags,
    resource_id: resourceId,
    scope_id: scopeId,
    ...attributes.columns,
    events: withLengths(kept.events),
    links: withLengths(kept.links),
    rest: restOf(span, dropped),
    event_kv: [...kept.events, ...kept.links].flatMap(noteHashes),
    resource: {
      message: resource.message,
      schemaUrl: resource.schemaUrl,
      attributes: searchable(resource.attributes, limits),
    },
    scope: {
      message: scope.message,
      schemaUrl: scope.schemaUrl,
      attributes: [...scopeNames(scope, limits), ...searchable(scope.attributes, limits)],
    },
  };
}

/** At most `max` bytes, without the head of a UTF-8 sequence that does not fit whole. */
export function cut(bytes: Uint8Array, max: number): Uint8Array {
  if (bytes.length <= max) return bytes;
  let end = max;
  for (let step = 0; step < 3 && end > 0 && isContinuation(bytes[end]); step++) end--;
  return bytes.subarray(0, end);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function cutCounted(bytes: Uint8Array, max: number, losses: Losses): Uint8Array {
  if (bytes.length > max) losses.cutValues++;
  return cut(bytes, max);
}

function keepAttributes(attributes: readonly TwinAttribute[], limits: Limits, losses: Losses) {
  const columns = {
    attr_s: [] as Pair[],
    attr_i: [] as Pair[],
    attr_d: [] as Pair[],
    attr_b: [] as Pair[],
    attr_x: [] as Pair[],
  };
  let kept = 0;
  for (const { key, value } of attributes) {
    if (key.length > limits.KEY_BYTES_MAX) continue;
    if (kept >= limits.ATTRIBUTES_PER_SPAN_MAX) continue;
    switch (value?.type) {
      case 'string':
        columns.attr_s.push([key, cutCounted(value.text, limits.STRING_VALUE_BYTES_MAX, losses)]);
        break;
      case 'int':
        columns.attr_i.push([key, value.value]);
        break;
      case 'double':
        columns.attr_d.push([key, value.bits]);
        break;
      case 'bool':
        columns.attr_b.push([key, value.value ? 1n : 0n]);
        break;
      default: {
        const message = value?.message ?? NONE;
        if (message.length > limits.COMPLEX_VALUE_BYTES_MAX) continue;
        columns.attr_x.push([key, message]);
      }
    }
    kept++;
  }
  return { columns, dropped: attributes.length - kept };
}

function keepNotes(span: TwinSpan, limits: Limits) {
  const fits = (note: TwinNote) => note.message.length <= limits.EVENT_BYTES_MAX;
  return {
    events: span.events.filter(fits).slice(0, limits.EVENTS_PER_SPAN_MAX),
    links: span.links.filter(fits).slice(0, limits.LINKS_PER_SPAN_MAX),
  };
}

function restOf(
  span: TwinSpan,
  dropped: { attributes: number; events: number; links: number },
): Uint8Array {
  const counts: [number, bigint, number][] = [
    [10, span.droppedAttributes, dropped.attributes],
    [12, span.droppedEvents, dropped.events],
    [14, span.droppedLinks, dropped.links],
  ];
  const added = counts
    .filter(([, , count]) => count > 0)
    .flatMap(([field, sent, count]) => [
      encodeVarint(BigInt(field << 3)),
      encodeVarint(BigInt.asUintN(32, sent + BigInt(count))),
    ]);
  return concat([...span.rest, ...added]);
}

function noteHashes(note: TwinNote): bigint[] {
  const name = note.name.length > 0 ? [kvHash(utf8('event'), note.name)] : [];
  const attributes = note.attributes.flatMap(({ key, value }) => {
    const text = plainText(value);
    return text === undefined ? [] : [kvHash(key, text)];
  });
  return [...name, ...attributes];
}

function serviceOf(resource: TwinOrigin, limits: Limits): Uint8Array {
  const last = resource.attributes.findLast(({ key }) => sameBytes(key, utf8('service.name')));
  const text = last?.value?.type === 'string' ? last.value.text : NONE;
  return text.length === 0 ? utf8(UNKNOWN_SERVICE) : cut(text, limits.SERVICE_NAME_BYTES_MAX);
}

function searchable(attributes: readonly TwinAttribute[], limits: Limits): Pair[] {
  const pairs = attributes.flatMap(({ key, value }): Pair[] => {
    const text = value?.type === 'double' ? utf8(String(doubleOf(value.bits))) : plainText(value);
    if (text === undefined || key.length > limits.KEY_BYTES_MAX) return [];
    return [[key, cut(text, limits.STRING_VALUE_BYTES_MAX)]];
  });
  return pairs.slice(0, limits.RESOURCE_ATTRIBUTES_MAX);
}

function scopeNames(scope: TwinOrigin, limits: Limits): Pair[] {
  const pairs: Pair[] = [
    [utf8('otel.scope.name'), cut(scope.name, limits.STRING_VALUE_BYTES_MAX)],
    [utf8('otel.scope.version'), cut(scope.version, limits.STRING_VALUE_BYTES_MAX)],
  ];
  return pairs.filter(([, text]) => (text as Uint8Array).length > 0);
}

function originHash(origin: TwinOrigin): bigint {
  return xxh64(origin.message, xxh64(origin.schemaUrl, 0n));
}

function kvHash(key: Uint8Array, text: Uint8Array): bigint {
  return xxh64(text, xxh64(key, 0n));
}

function rotateHalf(value: bigint): bigint {
  return BigInt.asUintN(64, (value << 32n) | (value >> 32n));
}

function bigEndian(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function withLengths(notes: readonly TwinNote[]): Uint8Array {
  return concat(notes.flatMap(({ message }) => [encodeVarint(BigInt(message.length)), message]));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
