import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHeaders, RECORD_OVERHEAD_BYTES } from './record.ts';

const TRACEPARENT = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;

test('headers name the version and the tenant', () => {
  assert.deepEqual(encodeHeaders({ tenant: 'default' }), [
    ['spanhouse.version', '1'],
    ['spanhouse.tenant', 'default'],
  ]);
});

test('our own trace context travels along', () => {
  const headers = encodeHeaders({ tenant: 'a', traceparent: TRACEPARENT });
  assert.deepEqual(headers.at(-1), ['traceparent', TRACEPARENT]);
});

test('a tenant or trace context that no reader would take is not written', () => {
  for (const tenant of ['', 'a b', 'a\n', 'x'.repeat(129), 'ü']) {
    assert.throws(() => encodeHeaders({ tenant }), RangeError, tenant);
  }
  assert.throws(() => encodeHeaders({ tenant: 'a', traceparent: `${TRACEPARENT}0` }), RangeError);
});

test('the overhead of a record covers the longest headers and the batch around a lone one', () => {
  const tenant = 't'.repeat(128);
  const headers = encodeHeaders({ tenant, traceparent: TRACEPARENT });
  // Record batch format 2: 61 bytes of header; of a record length, attributes, two deltas, key and
  // value lengths, header count, and two lengths a header: varints of at most five bytes each.
  const lengths = 61 + 7 * 5 + headers.length * 2 * 5;
  const texts = headers.flat().join('').length - tenant.length;
  assert.ok(lengths + texts <= RECORD_OVERHEAD_BYTES, `${lengths + texts}`);
});
