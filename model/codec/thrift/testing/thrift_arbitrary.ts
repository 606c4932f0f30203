// Thrift structures of any shape, and reading them back as the trees they were made of.

import fc from 'fast-check';
import {
  BOOL,
  BYTE,
  DOUBLE,
  I16,
  I32,
  I64,
  STRING,
  STRUCT,
  type ThriftReader,
} from '../thrift_reader.ts';
import type { ThriftField, ThriftValue, TypeName } from './thrift_encoder.ts';

const scalar: fc.Arbitrary<ThriftValue> = fc.oneof(
  fc.boolean().map((value) => ({ type: 'bool' as const, value })),
  fc.integer({ min: -128, max: 127 }).map((value) => ({ type: 'byte' as const, value })),
  fc
    .integer({ min: -(2 ** 15), max: 2 ** 15 - 1 })
    .map((value) => ({ type: 'i16' as const, value })),
  fc.integer().map((value) => ({ type: 'i32' as const, value })),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({
    type: 'i64' as const,
    value,
  })),
  fc.double().map((value) => ({ type: 'double' as const, value })),
  fc.string({ unit: 'grapheme' }).map((value) => ({ type: 'string' as const, value })),
);

/** Lists, sets and maps of one type each, and structures within structures. */
export const thriftStruct: fc.Arbitrary<ThriftValue & { type: 'struct' }> = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, scalar, tie('list'), tie('map'), tie('struct')),
  list: fc
    .tuple(fc.constantFrom('list' as const, 'set' as const), tie('value'), fc.nat({ max: 20 }))
    .map(([type, sample, count]) => {
      const value = sample as ThriftValue;
      const values = Array.from({ length: count }, () => value);
      return { type, element: value.type, values };
    }),
  map: fc.array(fc.tuple(fc.string(), fc.boolean()), { maxLength: 3 }).map(
    (entries): ThriftValue => ({
      type: 'map',
      key: 'string',
      element: 'bool',
      entries: entries.map(([key, value]) => [
        { type: 'string', value: key },
        { type: 'bool', value },
      ]),
    }),
  ),
  struct: fc
    .array(fc.tuple(fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }), tie('value')), {
      maxLength: 6,
    })
    .map((fields) => ({ type: 'struct' as const, fields: fields as ThriftField[] })),
})).struct as fc.Arbitrary<ThriftValue & { type: 'struct' }>;

/** What can be read of a structure; lists of scalars, sets and maps are skipped and stay unknown. */
export type ReadField = readonly [id: number, type: number, value: unknown];

export function readStruct(reader: ThriftReader): ReadField[] {
  const fields: ReadField[] = [];
  reader.enterStruct();
  while (reader.nextField()) fields.push([reader.fieldId, reader.fieldType, readField(reader)]);
  return fields;
}

function readField(reader: ThriftReader): unknown {
  switch (reader.fieldType) {
    case BOOL:
      return reader.bool();
    case BYTE:
      return reader.byte();
    case I16:
      return reader.i16();
    case I32:
      return reader.i32();
    case I64:
      reader.i64();
      return (BigInt(reader.high) << 32n) | BigInt(reader.low >>> 0);
    case DOUBLE:
      return reader.double();
    case STRING:
      reader.binary();
      return Buffer.from(reader.bytes.subarray(reader.start, reader.end)).toString();
    case STRUCT:
      return readInner(reader);
    default:
      reader.skip();
      return 'skipped';
  }
}

function readInner(reader: ThriftReader): ReadField[] {
  const fields: ReadField[] = [];
  reader.struct();
  while (reader.nextField()) fields.push([reader.fieldId, reader.fieldType, readField(reader)]);
  return fields;
}

const NUMBERS: Readonly<Record<TypeName, number>> = {
  bool: 2,
  byte: 3,
  double: 4,
  i16: 6,
  i32: 8,
  i64: 10,
  string: 11,
  struct: 12,
  map: 13,
  set: 14,
  list: 15,
};

/** What `readStruct` must return for it. */
export function expectedFields(value: ThriftValue & { type: 'struct' }): ReadField[] {
  return value.fields.map(([id, inner]) => [id, NUMBERS[inner.type], expectedValue(inner)]);
}

function expectedValue(value: ThriftValue): unknown {
  if (value.type === 'struct') return expectedFields(value);
  return 'value' in value ? value.value : 'skipped';
}
