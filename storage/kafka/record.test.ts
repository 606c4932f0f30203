import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeHeaders, encodeHeaders, RECORD_OVERHEAD_BYTES } from './record.ts';

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

test('what is written is read, as text or as bytes', () => {
  const facts = { tenant: 'team-a', traceparent: TRACEPARENT };
  const headers = encodeHeaders(facts);
  assert.deepEqual(decodeHeaders(headers), { kind: 'known', ...facts });
  const bytes = headers.map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const);
  assert.deepEqual(decodeHeaders(bytes), { kind: 'known', ...facts });
});

test('no headers are version 1 of nobody in particular', () => {
  const others = decodeHeaders([['content-type', 'application/x-protobuf']]);
  assert.deepEqual(decodeHeaders([]), { kind: 'known', tenant: undefined });
  assert.deepEqual(others, { kind: 'known', tenant: undefined });
});

test('a newer version is told apart from garbage', () => {
  const version = (text: string) => decodeHeaders([['spanhouse.version', text]]);
  assert.deepEqual(version('1'), { kind: 'known', tenant: undefined });
  assert.deepEqual(version('2'), { kind: 'newer', version: 2 });
  for (const text of ['', '0', '-1', '1.5', '0x2', '9999999', 'v2', '2\n']) {
    assert.equal(version(text).kind, 'malformed', text);
  }
});

test('headers that we did not write are malformed, however long or many', () => {
  const long = 'x'.repeat(1_000_000);
  const many = Array.from({ length: 65 }, () => ['a', 'b'] as const);
  for (const headers of [[['spanhouse.tenant', long]], [['spanhouse.tenant', '']], many] as const) {
    assert.equal(decodeHeaders(headers).kind, 'malformed');
  }
});

test('a broken trace context is left out, and the record kept', () => {
  assert.deepEqual(decodeHeaders([['traceparent', '00-zz']]), { kind: 'known', tenant: undefined });
});
