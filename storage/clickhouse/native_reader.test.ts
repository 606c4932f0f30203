import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Session } from 'chdb';
import type { NativeBlock } from './native_column.ts';
import { NativeError, readNative } from './native_reader.ts';

// The engine itself writes what is read here, so no idea of ours about the format goes untested.
let directory: string;
let session: Session;
let files = 0;

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'spanhouse-native-'));
  session = new Session(join(directory, 'db'));
});

after(() => {
  session.close();
  rmSync(directory, { recursive: true, force: true });
});

const read = (bytes: Uint8Array): NativeBlock[] => [...readNative(bytes)];

function native(select: string): Uint8Array {
  const path = join(directory, `${files++}.native`);
  session.query(`${select} INTO OUTFILE '${path}' FORMAT Native`);
  return readFileSync(path);
}

function one(select: string): NativeBlock {
  const blocks = read(native(select));
  assert.equal(blocks.length, 1);
  return blocks[0]!;
}

test('numbers of every width keep their values', () => {
  const block = one(`SELECT toUInt8(255) a, toUInt16(65535) b, toUInt32(4294967295) c,
    toUInt64(18446744073709551615) d, toInt64(-9223372036854775808) e, toFloat64(-0.5) f,
    toInt32(-7) g, toDate('2026-11-23') h, toDateTime(5, 'UTC') i,
    toDateTime64('2026-11-23 00:00:00.000000001', 9, 'UTC') j`);
  assert.equal(block.numbers('a')[0], 255);
  assert.equal(block.numbers('b')[0], 65535);
  assert.equal(block.numbers('c')[0], 4294967295);
  assert.equal(block.bigs('d')[0], 18446744073709551615n);
  assert.equal(block.bigs('e')[0], -9223372036854775808n);
  assert.equal(block.numbers('f')[0], -0.5);
  assert.equal(block.numbers('g')[0], -7);
  assert.equal(block.numbers('h')[0], Date.UTC(2026, 10, 23) / 86_400_000);
  assert.equal(block.numbers('i')[0], 5);
  assert.equal(block.bigs('j')[0], BigInt(Date.UTC(2026, 10, 23)) * 1_000_000n + 1n);
});

test('strings keep bytes, and invalid UTF-8 is shown as U+FFFD', () => {
  const block = one(`SELECT 'grüß' a, unhex('61FF62') b, '' c, toFixedString('ab', 3) d`);
  assert.equal(block.strings('a').at(0), 'grüß');
  assert.equal(block.strings('b').at(0), 'a\ufffdb');
  assert.deepEqual([...block.strings('b').bytesAt(0)], [0x61, 0xff, 0x62]);
  assert.equal(block.strings('c').at(0), '');
  assert.equal(block.strings('d').at(0), 'ab\0');
});

test('low cardinality strings are read with indexes of 8 and of 16 bits', () => {
  for (const distinct of [3, 300, 70_000]) {
    const blocks = read(
      native(`SELECT toLowCardinality(concat('v', toString(number % ${distinct}))) v
        FROM numbers(70000) SETTINGS max_block_size = 100000`),
    );
    let row = 0;
    for (const block of blocks) {
      const column = block.strings('v');
      for (let i = 0; i < block.rows; i++) assert.equal(column.at(i), `v${row++ % distinct}`);
    }
    assert.equal(row, 70_000);
  }
});

test('maps, arrays and tuples are read, empty ones among them', () => {
  const block = one(`SELECT * FROM values(
    'm Map(LowCardinality(String), String), i Map(LowCardinality(String), Int64),
     a Array(UInt64), t Tuple(x UInt64, y String), n Array(Array(String))',
    (map(), map(), [], (1, 'one'), []),
    (map('k', 'v', '__proto__', 'w'), map('n', -5), [7, 8], (2, 'two'), [['a'], [], ['b', 'c']]))`);
  const { ends, keys, values } = block.map('m');
  assert.deepEqual([...ends], [0, 2]);
  assert.deepEqual([keys.at(0), keys.at(1)], ['k', '__proto__']);
  assert.equal(values.kind === 'string' && values.at(1), 'w');
  const ints = block.map('i').values;
  assert.deepEqual(ints.kind === 'big' && [...ints.values], [-5n]);
  const { items } = block.array('a');
  assert.deepEqual(items.kind === 'big' && [...items.values], [7n, 8n]);
  assert.deepEqual([...block.array('n').ends], [0, 3]);
});

test('maps that are empty in every row are read', () => {
  const block = one(
    `SELECT CAST(map(), 'Map(LowCardinality(String), String)') m, number n FROM numbers(3)`,
  );
  assert.deepEqual([...block.map('m').ends], [0, 0, 0]);
  assert.deepEqual([...block.bigs('n')], [0n, 1n, 2n]);
});

test('several blocks come back in order, and no rows as no blocks', () => {
  const blocks = read(native('SELECT number n FROM numbers(10) SETTINGS max_block_size = 4'));
  assert.deepEqual(
    blocks.flatMap((block) => [...block.bigs('n')]),
    Array.from({ length: 10 }, (_, i) => BigInt(i)),
  );
  assert.deepEqual(read(new Uint8Array(0)), []);
});

test('an answer that is cut anywhere is refused, never half read', () => {
  const bytes = native(`SELECT toLowCardinality('x') a, map('k', 'v') b, [1, 2] c, 'long text' d`);
  for (let cut = 1; cut < bytes.length; cut++) {
    assert.throws(() => read(bytes.subarray(0, cut)), NativeError, `cut at ${cut}`);
  }
});

test('bytes that are not Native are refused with a reason', () => {
  const text = new TextEncoder().encode('Code: 62. DB::Exception: Syntax error');
  assert.throws(() => read(text), NativeError);
  assert.throws(
    () => read(native(`SELECT toDecimal32(1, 2) d`)),
    /Cannot read a column of type Decimal/,
  );
});
