// Protobuf by hand, for tests that need bytes no encoder would write.

const utf8 = new TextEncoder();

/** Minimal form, or padded to `length` bytes. */
export function varint(value: bigint | number, length = 0): Uint8Array {
  const bytes: number[] = [];
  let left = BigInt(value);
  do {
    bytes.push(Number(left & 0x7fn));
    left >>= 7n;
  } while (left > 0n || bytes.length < length);
  return Uint8Array.from(bytes, (byte, i) => (i < bytes.length - 1 ? byte | 0x80 : byte));
}

export function tag(field: number, wire: number): Uint8Array {
  return varint(BigInt(field) * 8n + BigInt(wire));
}

export function varintField(field: number, value: bigint | number): Uint8Array {
  return concat(tag(field, 0), varint(value));
}

export function fixed64Field(field: number, value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return concat(tag(field, 1), bytes);
}

export function fixed32Field(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return concat(tag(field, 5), bytes);
}

/** Length-delimited: text, bytes or an inner message in parts. */
export function field(number: number, ...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const payload = concat(...parts.map((part) => toBytes(part)));
  return concat(tag(number, 2), varint(payload.length), payload);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function toBytes(text: Uint8Array | string): Uint8Array {
  return typeof text === 'string' ? utf8.encode(text) : text;
}

/** A KeyValue message: key, and AnyValue in parts unless none are given. */
export function attribute(key: string, ...value: readonly Uint8Array[]): Uint8Array {
  return concat(field(1, key), ...(value.length === 0 ? [] : [field(2, ...value)]));
}

export const stringValue = (text: Uint8Array | string) => field(1, text);
export const boolValue = (value: bigint | number) => varintField(2, value);
export const intValue = (value: bigint) => varintField(3, BigInt.asUintN(64, value));
export const arrayValue = (...values: readonly Uint8Array[]) =>
  field(5, ...values.map((value) => field(1, value)));
export const mapValue = (...attributes: readonly Uint8Array[]) =>
  field(6, ...attributes.map((inner) => field(1, inner)));
export const bytesValue = (bytes: Uint8Array) => field(7, bytes);

export function doubleValue(value: number): Uint8Array {
  return fixed64Field(
    4,
    BigUint64Array.from(new BigUint64Array(Float64Array.of(value).buffer))[0]!,
  );
}

export const TRACE_ID = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
export const SPAN_ID = Uint8Array.from({ length: 8 }, (_, i) => 0xa0 + i);
/** Noon of a day in 2026. */
export const NOON = 1_790_078_400n * 1_000_000_000n;

/** A Span message with good ids and start, then more fields (of which the last ones count). */
export function spanMessage(...more: readonly Uint8Array[]): Uint8Array {
  return concat(field(1, TRACE_ID), field(2, SPAN_ID), fixed64Field(7, NOON), ...more);
}

/** A request of these Span messages, without a resource or scope. */
export function requestOf(...spans: readonly Uint8Array[]): Uint8Array {
  return field(1, field(2, ...spans.map((span) => field(2, span))));
}

/** A request of one span under this Resource and InstrumentationScope message. */
export function requestUnder(
  resource: Uint8Array,
  scope: Uint8Array,
  ...spans: readonly Uint8Array[]
): Uint8Array {
  const scopeSpans = concat(field(1, scope), ...spans.map((span) => field(2, span)));
  return field(1, field(1, resource), field(2, scopeSpans));
}
