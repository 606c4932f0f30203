// What both Thrift protocols offer to who reads a structure: a cursor over bytes that nobody has
// checked. Sizes are never believed: whatever a list claims, its elements must fit in what is left,
// so reading costs no more than was sent. Nothing is allocated for a value; strings are ranges.
//
//   reader.enterStruct();
//   while (reader.nextField())
//     switch (reader.fieldId) {
//       case 1: reader.i64(); use(reader.high, reader.low); break;
//       case 2:
//         for (let left = reader.list(STRUCT); left > 0; left--) { reader.enterStruct(); … }
//         break;
//       default: reader.skip();
//     }

/** Types as the binary protocol numbers them; the compact reader translates its own. */
export const STOP = 0;
export const BOOL = 2;
export const BYTE = 3;
export const DOUBLE = 4;
export const I16 = 6;
export const I32 = 8;
export const I64 = 10;
export const STRING = 11;
export const STRUCT = 12;
export const MAP = 13;
export const SET = 14;
export const LIST = 15;
export const UUID = 16;

/** Message types (TMessageType). Clients send oneway methods as CALL too. */
export const CALL = 1;
export const ONEWAY = 4;

/** Structures, lists and maps within each other. Jaeger and Zipkin have 7; Thrift's default is 64. */
export const THRIFT_DEPTH_MAX = 64;

/** The bytes are not what they should be; the message is a sentence for the sender. */
export class ThriftError extends Error {
  override readonly name = 'ThriftError';
}

/** All methods throw ThriftError on bytes that cannot be, and on a field of another type. */
export interface ThriftReader {
  readonly bytes: Uint8Array;
  /** Of the field that `nextField` found. */
  readonly fieldId: number;
  readonly fieldType: number;
  /** Halves of the last `i64`, as signed 32-bit numbers. */
  readonly high: number;
  readonly low: number;
  /** Of the last `binary`: its place in `bytes`. */
  readonly start: number;
  readonly end: number;
  /** The next byte to be read. */
  readonly at: number;

  /** A message's envelope; its name is at `start`, `end`. Returns the type: CALL, ONEWAY, … */
  message(): number;
  /** Begins a structure: an element of a list, an argument structure, or the whole body. */
  enterStruct(): void;
  /** Begins the structure that the field is. */
  struct(): void;
  /** Moves to the next field; false at the end of the structure, which is left by that. */
  nextField(): boolean;
  bool(): boolean;
  byte(): number;
  i16(): number;
  i32(): number;
  /** Into `high` and `low`. */
  i64(): void;
  double(): number;
  /** A string or bytes, into `start` and `end`. */
  binary(): void;
  /** Begins the list or set that the field is; returns the number of elements. */
  list(elementType: number): number;
  /** Begins a list that stands for itself, as a Zipkin v1 body; returns the number of elements. */
  bareList(elementType: number): number;
  /** Passes over the field's value. */
  skip(): void;
}

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [BOOL]: 'bool',
  [BYTE]: 'byte',
  [DOUBLE]: 'double',
  [I16]: 'i16',
  [I32]: 'i32',
  [I64]: 'i64',
  [STRING]: 'string',
  [STRUCT]: 'struct',
  [MAP]: 'map',
  [SET]: 'set',
  [LIST]: 'list',
  [UUID]: 'uuid',
};

export function typeName(type: number): string {
  return TYPE_NAMES[type] ?? `type ${type}`;
}

export function wrongType(fieldId: number, expected: number, found: number): ThriftError {
  return new ThriftError(
    `field ${fieldId} of a Thrift structure was expected to be ${typeName(expected)}, ` +
      `but it is ${typeName(found)}`,
  );
}

export function cutShort(at: number, wanted: number, left: number): ThriftError {
  return new ThriftError(
    `at byte ${at} of the Thrift message ${wanted} more bytes were expected, ` +
      `but ${left} are left`,
  );
}

export function tooManyElements(at: number, count: number, left: number): ThriftError {
  return new ThriftError(
    `at byte ${at} a Thrift list or map of ${count} elements was announced, ` +
      `which cannot fit in the ${left} bytes that are left`,
  );
}

export function tooDeep(at: number): ThriftError {
  return new ThriftError(
    `at byte ${at} Thrift structures are nested deeper than ${THRIFT_DEPTH_MAX}`,
  );
}

export function badType(at: number, type: number): ThriftError {
  return new ThriftError(`at byte ${at} a Thrift type was expected, but ${type} is none`);
}

export function badVersion(expected: string): ThriftError {
  return new ThriftError(`the first bytes were expected to begin ${expected}, but they do not`);
}
