// Both readers against an encoder that shares nothing with them, and against bytes that lie.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BinaryReader } from './binary_reader.ts';
import { CompactReader } from './compact_reader.ts';
import { messageReader, structReader } from './detect.ts';
import { expectedFields, readStruct, thriftStruct } from './testing/thrift_arbitrary.ts';
import { encodeMessage, encodeValue, type Protocol } from './testing/thrift_encoder.ts';
import {
  CALL,
  ONEWAY,
  STRUCT,
  THRIFT_DEPTH_MAX,
  ThriftError,
  type ThriftReader,
} from './thrift_reader.ts';

/** Cutting costs the square of the length. */
const CUTS_MAX = 500;

const PROTOCOLS: readonly Protocol[] = ['strict', 'old', 'compact'];

function readerOf(protocol: Protocol, bytes: Uint8Array): ThriftReader {
  return protocol === 'compact' ? new CompactReader(bytes) : new BinaryReader(bytes);
}

for (const protocol of PROTOCOLS) {
  test(`${protocol}: what was written is read back, and nothing is left over`, () => {
    fc.assert(
      fc.property(thriftStruct, (value) => {
        const bytes = encodeValue(value, protocol);
        const reader = readerOf(protocol, bytes);
        assert.deepEqual(readStruct(reader), expectedFields(value));
        assert.equal(reader.at, bytes.length);
      }),
      { numRuns: 500 },
    );
  });

  test(`${protocol}: skipping ends where reading ends`, () => {
    fc.assert(
      fc.property(thriftStruct, (value) => {
        const bytes = encodeValue({ type: 'struct', fields: [[1, value]] }, protocol);
        const reader = readerOf(protocol, bytes);
        reader.enterStruct();
        assert.ok(reader.nextField());
        reader.skip();
        assert.equal(reader.nextField(), false);
        assert.equal(reader.at, bytes.length);
      }),
      { numRuns: 500 },
    );
  });

  test(`${protocol}: cut at any byte it is an error, never anything else`, () => {
    fc.assert(
      fc.property(thriftStruct, (value) => {
        const bytes = encodeValue(value, protocol);
        for (let length = 0; length < Math.min(bytes.length, CUTS_MAX); length++) {
          const reader = readerOf(protocol, bytes.subarray(0, length));
          assert.throws(() => readStruct(reader), ThriftError);
        }
      }),
      { numRuns: 50 },
    );
  });

  test(`${protocol}: a message's name, type and arguments are found by its first bytes`, () => {
    const args = [[1, { type: 'i32', value: -5 }]] as const;
    for (const type of [CALL, ONEWAY]) {
      const reader = messageReader(encodeMessage('emitBatch', type, args, protocol));
      assert.equal(reader.message(), type);
      assert.equal(
        Buffer.from(reader.bytes.subarray(reader.start, reader.end)).toString(),
        'emitBatch',
      );
      assert.deepEqual(readStruct(reader), [[1, 8, -5]]);
    }
  });

  test(`${protocol}: any bytes are read or refused, at a cost of no more than their length`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const reader = readerOf(protocol, bytes);
        try {
          const fields = readStruct(reader);
          assert.ok(fields.length <= bytes.length);
        } catch (error) {
          assert.ok(error instanceof ThriftError, String(error));
        }
        assert.ok(reader.at <= bytes.length);
      }),
      { numRuns: 20_000 },
    );
  });
}

test('a bare structure is told by its first byte', () => {
  const value = { type: 'struct', fields: [[1, { type: 'struct', fields: [] }]] } as const;
  assert.ok(structReader(encodeValue(value, 'strict')) instanceof BinaryReader);
  assert.ok(structReader(encodeValue(value, 'compact')) instanceof CompactReader);
});

/** A field 1 of list, set, map or string, with a size that the rest does not have. */
const LIES: readonly (readonly [string, Protocol, string])[] = [
  ['a list of 2^31-1 structures', 'strict', '0f00010c7fffffff'],
  ['a list of -1 structures', 'strict', '0f00010cffffffff'],
  ['a list of 2^31-1 elements of type 0', 'strict', '0f0001007fffffff'],
  ['a list of elements of type 1', 'strict', '0f00010100000002ffff'],
  ['a map of 2^31-1 entries', 'strict', '0d000102027fffffff'],
  ['a map of entries of type 0', 'strict', '0d0001000000000002ffff'],
  ['a string of -1 bytes', 'strict', '0b0001ffffffff'],
  ['a string of 2^31-1 bytes', 'strict', '0b00017fffffff'],
  ['a list of 2^32-1 structures', 'compact', '19fcffffffff0f'],
  ['a list of elements of type 0', 'compact', '1920ffff'],
  ['a list of elements of type 15', 'compact', '192fffff'],
  ['a map of 2^32-1 entries', 'compact', '1bffffffff0f11'],
  ['a string of 2^32-1 bytes', 'compact', '18ffffffff0f'],
  ['a length of six bytes', 'compact', '18ffffffffff01'],
  ['a number of eleven bytes', 'compact', '16ffffffffffffffffffff01'],
];

for (const [what, protocol, hex] of LIES) {
  test(`${protocol}: ${what} is refused without a walk`, () => {
    for (const read of [skipAll, readStruct]) {
      const reader = readerOf(protocol, Buffer.from(hex, 'hex'));
      assert.throws(() => read(reader), ThriftError);
    }
  });
}

function skipAll(reader: ThriftReader): void {
  reader.enterStruct();
  while (reader.nextField()) reader.skip();
}

test('nesting has a limit, read or skipped, in structures and in lists', () => {
  const levels = 100_000;
  const nested: readonly (readonly [Protocol, Buffer])[] = [
    ['strict', Buffer.concat(Array(levels).fill(Buffer.from('0c0001', 'hex')))],
    ['compact', Buffer.alloc(levels, 0x1c)],
    ['strict', Buffer.concat([Buffer.from('0f0001', 'hex'), repeated('0f00000001', levels)])],
    ['compact', Buffer.concat([Buffer.of(0x19), Buffer.alloc(levels, 0x19)])],
  ];
  for (const [protocol, bytes] of nested) {
    for (const read of [skipAll, readStruct]) {
      assert.throws(() => read(readerOf(protocol, bytes)), /deeper than 64/);
    }
  }
});

function repeated(hex: string, times: number): Buffer {
  return Buffer.concat(Array(times).fill(Buffer.from(hex, 'hex')));
}

test('as deep as the limit is read', () => {
  const bytes = Buffer.concat([
    Buffer.alloc(THRIFT_DEPTH_MAX - 1, 0x1c),
    Buffer.alloc(THRIFT_DEPTH_MAX, 0),
  ]);
  const reader = new CompactReader(bytes);
  readStruct(reader);
  assert.equal(reader.at, bytes.length);
});

test('a field of another type than was asked for is an error that names both', () => {
  const bytes = encodeValue({ type: 'struct', fields: [[3, { type: 'i32', value: 1 }]] }, 'strict');
  const reader = new BinaryReader(bytes);
  reader.enterStruct();
  reader.nextField();
  assert.throws(() => reader.i64(), /field 3 .* i64, but it is i32/);
  assert.throws(() => reader.list(STRUCT), /list, but it is i32/);
});

test('an empty list may name any element type', () => {
  for (const [protocol, hex] of [
    ['strict', '0f00010000000000' + '00'],
    ['compact', '190000'],
  ] as const) {
    const reader = readerOf(protocol, Buffer.from(hex, 'hex'));
    reader.enterStruct();
    reader.nextField();
    assert.equal(reader.list(STRUCT), 0);
    assert.equal(reader.nextField(), false);
  }
});
