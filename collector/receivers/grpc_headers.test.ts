import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grpcEncodingOf, grpcTimeoutMs } from './grpc_headers.ts';

test('a timeout has up to eight digits and a unit; anything else is none', () => {
  const timeouts: [string, number | undefined][] = [
    ['10S', 10_000],
    ['100m', 100],
    ['1n', 1e-6],
    ['250u', 0.25],
    ['2M', 120_000],
    ['99999999H', 99_999_999 * 3_600_000],
    ['999999999S', undefined],
    ['-1S', undefined],
    ['1', undefined],
    ['', undefined],
  ];
  for (const [text, ms] of timeouts)
    assert.equal(grpcTimeoutMs({ 'grpc-timeout': text }), ms, text);
  assert.equal(grpcTimeoutMs({}), undefined);
});

test('without a grpc-encoding a message is as it is; one that we never offered is unknown', () => {
  assert.equal(grpcEncodingOf({}), 'identity');
  assert.equal(grpcEncodingOf({ 'grpc-encoding': 'gzip' }), 'gzip');
  assert.equal(grpcEncodingOf({ 'grpc-encoding': 'snappy' }), 'unknown');
});
