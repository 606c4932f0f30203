import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buffersOf, pack, unpack } from './record_pack.ts';

test('records come out of a pack as they went in', () => {
  const fields = {
    tenant: fc.constantFrom('default', 'shop', ''),
    bytes: fc.uint8Array({ maxLength: 30 }),
    recordUnixNanos: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  };
  const record = fc.record(fields, { noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(record, { maxLength: 20 }), (records) => {
      const packed = pack(records);
      assert.ok(buffersOf(packed).every((buffer) => buffer instanceof ArrayBuffer));
      const unpacked = unpack(packed).map((one) => ({ ...one, bytes: Uint8Array.from(one.bytes) }));
      assert.deepEqual(unpacked, records);
    }),
  );
});
