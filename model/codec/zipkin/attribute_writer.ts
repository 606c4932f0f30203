// Our attribute names as bytes, and the values that are no texts of the span.

import type { ProtoWriter } from '../otlp/proto_writer.ts';
import * as names from './attribute_names.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export const SCHEMA = utf8(names.ZIPKIN_SCHEMA);

export const K = {
  serviceName: utf8(names.SERVICE_NAME),
  localAddress: utf8(names.LOCAL_ADDRESS),
  localPort: utf8(names.LOCAL_PORT),
  localIpv6: utf8(names.LOCAL_IPV6),
  remote: utf8(names.REMOTE),
  debug: utf8(names.DEBUG),
  shared: utf8(names.SHARED),
  noTimestamp: utf8(names.NO_TIMESTAMP),
  errorTag: utf8(names.ERROR_TAG),
  tagPrefix: utf8(names.TAG_PREFIX),
} as const;

export const PEER_KEYS = {
  service: utf8(names.PEER_SERVICE),
  address: utf8(names.PEER_ADDRESS),
  port: utf8(names.PEER_PORT),
  ipv6: utf8(names.PEER_IPV6),
} as const;

export const REMOTE_KEYS = {
  service: utf8(names.REMOTE_SERVICE),
  address: utf8(names.REMOTE_ADDRESS),
  port: utf8(names.REMOTE_PORT),
  ipv6: utf8(names.REMOTE_IPV6),
} as const;

export function intAttribute(
  out: ProtoWriter,
  field: number,
  key: Uint8Array,
  value: number,
): void {
  const mark = out.begin(field);
  out.bytes(1, key);
  const inner = out.begin(2);
  out.uint(3, value);
  out.end(inner);
  out.end(mark);
}

export function boolAttribute(out: ProtoWriter, key: Uint8Array, value: boolean): void {
  const mark = out.begin(9);
  out.bytes(1, key);
  const inner = out.begin(2);
  out.uint(2, value ? 1 : 0);
  out.end(inner);
  out.end(mark);
}

/** µs below 2^53 as a fixed64 of ns: their product fits 63 bits, but not a double. */
export function nanos(out: ProtoWriter, field: number, micros: number): void {
  const low = (micros % 2 ** 32) * 1000;
  const carry = Math.floor(low / 2 ** 32);
  out.fixed64Words(field, low % 2 ** 32, Math.floor(micros / 2 ** 32) * 1000 + carry);
}
