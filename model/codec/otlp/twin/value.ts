// AnyValue and KeyValue: checked to the bottom, but only the type and scalars of the outermost value
// are kept, which is what the rows hold.

import type { Limits } from './limits.ts';
import { allBytes, type KnownFields, lastBytes, MalformedError, readMessage } from './wire.ts';

/**
 * `string` is not checked as UTF-8. `double` keeps the 64 bits, so that a NaN's payload survives.
 * `other` is bytes, array, map or nothing set. `message` is the AnyValue as it came.
 */
export type TwinValue = { readonly message: Uint8Array } & (
  | { readonly type: 'string'; readonly text: Uint8Array }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: 'double'; readonly bits: bigint }
  | { readonly type: 'other' }
);

export interface TwinAttribute {
  readonly key: Uint8Array;
  /** Undefined where no value was sent. */
  readonly value: TwinValue | undefined;
}

const KEY_VALUE: KnownFields = new Map([
  [1, 2],
  [2, 2],
]);
const ANY_VALUE: KnownFields = new Map([
  [1, 2],
  [2, 0],
  [3, 0],
  [4, 1],
  [5, 2],
  [6, 2],
  [7, 2],
]);
const LIST: KnownFields = new Map([[1, 2]]);
const ARRAY_FIELD = 5;
const MAP_FIELD = 6;

/** A KeyValue message whose value, if any, has this depth. Throws MalformedError. */
export function readAttribute(message: Uint8Array, limits: Limits, depth = 1): TwinAttribute {
  const fields = readMessage(message, KEY_VALUE);
  const values = allBytes(fields, 2).map((value) => readValue(value, limits, depth));
  return { key: lastBytes(fields, 1), value: values.at(-1) };
}

/** The text of a value that has one: a string as sent, an int in decimal, a bool as word. */
export function plainText(value: TwinValue | undefined): Uint8Array | undefined {
  switch (value?.type) {
    case 'string':
      return value.text;
    case 'int':
    case 'bool':
      return utf8(String(value.value));
    default:
      return undefined;
  }
}

export function doubleOf(bits: bigint): number {
  return new Float64Array(BigUint64Array.of(bits).buffer)[0] ?? 0;
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function readValue(message: Uint8Array, limits: Limits, depth: number): TwinValue {
  if (depth > limits.VALUE_DEPTH_MAX) {
    throw new MalformedError(
      `Expected values nested at most ${limits.VALUE_DEPTH_MAX} deep; a deeper one came.`,
    );
  }
  const fields = readMessage(message, ANY_VALUE);
  for (const array of allBytes(fields, ARRAY_FIELD)) {
    for (const element of allBytes(readMessage(array, LIST), 1)) {
      readValue(element, limits, depth + 1);
    }
  }
  for (const map of allBytes(fields, MAP_FIELD)) {
    for (const entry of allBytes(readMessage(map, LIST), 1)) {
      readAttribute(entry, limits, depth + 1);
    }
  }
  const set = fields.findLast((field) => ANY_VALUE.has(field.number));
  switch (set?.number) {
    case 1:
      return { message, type: 'string', text: set.payload };
    case 2:
      return { message, type: 'bool', value: set.value !== 0n };
    case 3:
      return { message, type: 'int', value: BigInt.asIntN(64, set.value) };
    case 4:
      return { message, type: 'double', bits: set.value };
    default:
      return { message, type: 'other' };
  }
}
