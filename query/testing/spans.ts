// For tests: spans with every field set, of which a test names the ones it is about.

import type {
  Attribute,
  Resource,
  Scope,
  Span,
  SpanEvent,
  SpanLink,
  Value,
} from '../../model/span.ts';

/** 2026-11-23 12:00:00 UTC: far from a bucket's, an hour's and a day's edge. */
export const NOON = BigInt(Date.UTC(2026, 10, 23, 12)) * 1_000_000n;
export const SECOND = 1_000_000_000n;
export const MINUTE = 60n * SECOND;
export const HOUR = 60n * MINUTE;

export function resourceOf(service: string, attributes: Record<string, unknown> = {}): Resource {
  return {
    attributes: attributesOf({ 'service.name': service, ...attributes }),
    droppedAttributesCount: 0,
    schemaUrl: '',
  };
}

export function scopeOf(
  name: string,
  version = '',
  attributes: Record<string, unknown> = {},
): Scope {
  return {
    name,
    version,
    attributes: attributesOf(attributes),
    droppedAttributesCount: 0,
    schemaUrl: '',
  };
}

let spanIds = 1n;

/** A server span of `shop` at noon; its resource follows `service` unless given. */
export function spanOf(parts: Partial<Span> = {}): Span {
  const service = parts.service ?? 'shop';
  return {
    traceId: traceId(1),
    spanId: (spanIds++).toString(16).padStart(16, '0'),
    parentSpanId: '',
    name: 'GET /cart',
    service,
    kind: 2,
    startUnixNanos: NOON,
    durationNanos: 1_000_000n,
    statusCode: 0,
    statusMessage: '',
    traceState: '',
    flags: 0,
    attributes: [],
    events: [],
    links: [],
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    resource: resourceOf(service),
    scope: scopeOf(''),
    ...parts,
  };
}

export function traceId(n: number | bigint): string {
  return (0xabcd_0000_0000_0000_0000n + BigInt(n)).toString(16).padStart(32, '0');
}

export function eventOf(name: string, attributes: Record<string, unknown> = {}): SpanEvent {
  return {
    timeUnixNanos: NOON,
    name,
    attributes: attributesOf(attributes),
    droppedAttributesCount: 0,
  };
}

export function linkOf(to: string, attributes: Record<string, unknown> = {}): SpanLink {
  return {
    traceId: to,
    spanId: '00000000000000aa',
    traceState: '',
    attributes: attributesOf(attributes),
    droppedAttributesCount: 0,
    flags: 0,
  };
}

/** Strings, bigints (int), numbers (double), booleans, bytes and lists of them. */
export function attributesOf(values: Record<string, unknown>): Attribute[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: anyValueOf(value) }));
}

function anyValueOf(value: unknown): Value {
  if (typeof value === 'string') return { type: 'string', value };
  if (typeof value === 'bigint') return { type: 'int', value };
  if (typeof value === 'number') return { type: 'double', value };
  if (typeof value === 'boolean') return { type: 'bool', value };
  if (value instanceof Uint8Array) return { type: 'bytes', value };
  if (Array.isArray(value)) return { type: 'array', value: value.map(anyValueOf) };
  throw new Error(`No attribute value for ${String(value)}.`);
}
