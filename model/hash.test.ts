import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyValueHash, xxh64 } from './hash.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

// Published with xxHash and its ports: every branch (1, 4, 8 byte tails, whole stripes) is in here.
const VECTORS: readonly (readonly [string, bigint, bigint])[] = [
  ['', 0n, 0xef46db3751d8e999n],
  ['a', 0n, 0xd24ec4f1a98c6e5bn],
  ['as', 0n, 0x1c330fb2d66be179n],
  ['asd', 0n, 0x631c37ce72a97393n],
  ['abc', 0n, 0x44bc2cf5ad770999n],
  ['asdf', 0n, 0x415872f599cea71en],
  ['xxhash', 0n, 0x32dd38952c4bc720n],
  ['xxhash', 20141025n, 0xb559b98d844e0635n],
  ['Nobody inspects the spammish repetition', 0n, 0xfbcea83c8a378bf1n],
  ['Call me Ishmael. Some years ago--never mind how long precisely-', 0n, 0x02a2e85470d6fd96n],
];

test('xxh64 gives the published values', () => {
  for (const [text, seed, expected] of VECTORS) {
    assert.equal(xxh64(bytes(text), seed), expected, `${text} seed ${seed}`);
  }
});

test('xxh64 of a part of a larger buffer sees only that part', () => {
  const whole = bytes('xxabcxx');
  assert.equal(xxh64(whole.subarray(2, 5), 0n), 0x44bc2cf5ad770999n);
});

test('key and value do not run into each other', () => {
  assert.notEqual(keyValueHash('ab', 'c'), keyValueHash('a', 'bc'));
  assert.equal(keyValueHash('k', 'v'), xxh64(bytes('v'), xxh64(bytes('k'), 0n)));
});
