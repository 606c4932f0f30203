import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Column, writeNative } from './native.ts';

const text = (value: string) => new Uint8Array(Buffer.from(value));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** What follows the block's head and the column's name and type. */
function dataOf(column: Omit<Column, 'name'>): string {
  const bytes = writeNative([{ name: 'c', ...column }], column.cells.length);
  const rowsVarint = column.cells.length < 128 ? 1 : 2;
  const head = 1 + rowsVarint + 2 + 1 + column.type.length;
  return hex(bytes.subarray(head));
}

test('a block begins with its columns and rows, a column with its name and type', () => {
  const columns: Column[] = [
    { name: 'a', type: 'UInt8', cells: [1n, 255n] },
    { name: 'bc', type: 'String', cells: [text('x'), text('')] },
  ];
  const expected = ['0202', '0161', '0555496e7438', '01ff', '026263', '06537472696e67', '017800'];
  assert.equal(hex(writeNative(columns, 2)), expected.join(''));
});

test('numbers are little endian in the width of their type, negative ones in two parts', () => {
  assert.equal(dataOf({ type: 'UInt32', cells: [0x01020304n] }), '04030201');
  assert.equal(dataOf({ type: 'UInt64', cells: [2n ** 64n - 2n] }), 'feffffffffffffff');
  assert.equal(dataOf({ type: 'Int64', cells: [-2n] }), 'feffffffffffffff');
  assert.equal(dataOf({ type: "DateTime64(9, 'UTC')", cells: [258n] }), '0201000000000000');
});

test('lengths over 127 take two bytes', () => {
  assert.equal(dataOf({ type: 'String', cells: [text('a'.repeat(200))] }).slice(0, 6), 'c80161');
});

test('arrays are running ends and then all items', () => {
  const cells = [[1n], [], [2n, 3n]];
  const ends = ['0100000000000000', '0100000000000000', '0300000000000000'];
  const items = ['0100000000000000', '0200000000000000', '0300000000000000'];
  assert.equal(dataOf({ type: 'Array(UInt64)', cells }), [...ends, ...items].join(''));
});

test('a dictionary has the empty string first, then its entries by first use', () => {
  const cells = ['b', 'a', 'b', ''].map(text);
  const expected = [
    '0100000000000000', // version
    '0006000000000000', // 8-bit indexes
    '0300000000000000', // entries
    '0001620161',
    '0400000000000000', // values
    '01020100',
  ];
  assert.equal(dataOf({ type: 'LowCardinality(String)', cells }), expected.join(''));
});

test('indexes have 8 bits up to 256 entries, then 16', () => {
  const cellsOf = (count: number) => Array.from({ length: count }, (_, i) => text(`${i}.`));
  const small = dataOf({ type: 'LowCardinality(String)', cells: cellsOf(255) });
  assert.equal(small.slice(16, 48), '0006000000000000' + '0001000000000000');
  assert.equal(small.slice(-6), 'fdfeff');
  const large = dataOf({ type: 'LowCardinality(String)', cells: cellsOf(256) });
  assert.equal(large.slice(16, 48), '0106000000000000' + '0101000000000000');
  assert.equal(large.slice(-8), 'ff000001');
});

test('entries are told apart by their bytes, also where they are no UTF-8', () => {
  const cells = [Uint8Array.of(0xff), Uint8Array.of(0xfe), Uint8Array.of(0xff)];
  const data = dataOf({ type: 'LowCardinality(String)', cells });
  assert.equal(data.slice(-6), '010201');
});

test('a map is version, ends, a dictionary of its keys, and values', () => {
  const cells = [[[text('k'), 5n] as const], [], [[text('k'), 6n] as const]];
  const expected = [
    '0100000000000000', // version
    '010000000000000001000000000000000200000000000000', // ends
    '0006000000000000' + '0200000000000000' + '00016b', // dictionary
    '0200000000000000' + '0101', // indexes
    '05000000000000000600000000000000',
  ];
  assert.equal(dataOf({ type: 'Map(LowCardinality(String), Int64)', cells }), expected.join(''));
});

test('a map column without keys ends after its ends', () => {
  const data = dataOf({ type: 'Map(LowCardinality(String), String)', cells: [[], []] });
  assert.equal(data, '01'.padEnd(3 * 16, '0'));
});
