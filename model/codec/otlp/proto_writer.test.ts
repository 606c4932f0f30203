import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { ProtoWriter } from './proto_writer.ts';

test('every number is written as protobufjs writes it', () => {
  const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const unsigned = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const field = fc.integer({ min: 1, max: 2 ** 29 - 1 });
  fc.assert(
    fc.property(field, integer, unsigned, fc.double(), (number, int, uint, double) => {
      const ours = new ProtoWriter(0);
      ours.int(number, int);
      ours.uint(number, uint);
      ours.fixed32(number, uint);
      ours.fixed64(number, BigInt.asUintN(64, int));
      ours.double(number, double);
      const theirs = protobuf.Writer.create();
      const tag = (wire: number) => theirs.uint32(((number << 3) | wire) >>> 0);
      tag(0).int64(String(int));
      tag(0).uint32(uint);
      tag(5).fixed32(uint);
      tag(1).fixed64(String(BigInt.asUintN(64, int)));
      tag(1).double(double);
      assert.deepEqual(Buffer.from(ours.finish()), Buffer.from(theirs.finish()));
    }),
  );
});

test('messages of every length get the shortest length prefix, however they nest', () => {
  for (const length of [0, 1, 31, 32, 33, 127, 128, 16_383, 16_384, 2_097_152]) {
    const content = new Uint8Array(length).fill(0x61);
    const ours = new ProtoWriter(0);
    const outer = ours.begin(1);
    const inner = ours.begin(2);
    ours.bytes(3, content);
    ours.end(inner);
    ours.uint(4, 7);
    ours.end(outer);
    const theirs = protobuf.Writer.create();
    theirs.uint32(10).fork().uint32(18).fork().uint32(26).bytes(content).ldelim();
    theirs.uint32(32).uint32(7).ldelim();
    assert.ok(Buffer.from(ours.finish()).equals(Buffer.from(theirs.finish())), `${length} bytes`);
  }
});

test('numbers by halves are those by bigint, and a reset writer starts anew', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const [high, low] = [Number(value >> 32n), Number(value & 0xffff_ffffn)];
      const inner = new ProtoWriter(0);
      inner.string(1, 'forgotten');
      inner.reset();
      inner.intOf(7, high, low);
      inner.fixed64Words(8, low, high);
      const outer = new ProtoWriter(0);
      outer.message(9, inner);
      const expected = new ProtoWriter(0);
      const mark = expected.begin(9);
      expected.int(7, value);
      expected.fixed64(8, BigInt.asUintN(64, value));
      expected.end(mark);
      assert.deepEqual(Buffer.from(outer.finish()), Buffer.from(expected.finish()));
    }),
  );
});

test('a pair of texts is the message that it stands for, at every length', () => {
  for (const [key, text] of [
    [0, 0],
    [5, 10],
    [50, 71],
    [50, 72],
    [1, 120],
    [200, 300],
  ] as const) {
    const source = new Uint8Array(key + text).fill(0x61);
    const ours = new ProtoWriter(0);
    ours.textPair(9, source, 0, key, key, key + text);
    const expected = new ProtoWriter(0);
    const pair = expected.begin(9);
    expected.bytes(1, source, 0, key);
    const value = expected.begin(2);
    expected.bytes(1, source, key);
    expected.end(value);
    expected.end(pair);
    assert.deepEqual(Buffer.from(ours.finish()), Buffer.from(expected.finish()));
  }
});

test('a text is its UTF-8 bytes, whatever its length and whatever is in it', () => {
  const texts = ['', 'a', 'é', '結', '🧭', '\u0000', '\u007f', '\u0080', '\ud800', 'aé'];
  for (let length = 60; length < 70; length++) {
    texts.push('x'.repeat(length), `${'x'.repeat(length)}é`, '結'.repeat(length));
  }
  for (const value of texts) {
    const [asText, asBytes] = [new ProtoWriter(0), new ProtoWriter(0)];
    for (const writer of [asText, asBytes]) writer.uint(1, 300);
    asText.string(3, value);
    asBytes.bytes(3, new TextEncoder().encode(value));
    assert.deepEqual(asText.finish(), asBytes.finish(), value);
  }
});
