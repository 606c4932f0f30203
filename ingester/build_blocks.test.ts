import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadTranscoder, type SpanRecord } from '../model/codec/otlp/transcoder.ts';
import { buildBlocks } from './build_blocks.ts';
import { encodeSpans } from './kafka/testing/encode_spans.ts';

const MAX_AGE_SECONDS = 3600;
const transcoder = await loadTranscoder();

function record(bytes: Uint8Array | string): SpanRecord {
  const value = typeof bytes === 'string' ? new Uint8Array(Buffer.from(bytes)) : bytes;
  return { tenant: 't', bytes: value, recordUnixNanos: 1_000_000_000n };
}

const ZIPKIN = '[{"traceId":"a","id":"b","name":"get"},{"traceId":"a","id":"c"}]';
const JAEGER = '{"traceId":"AAAAAAAAAAAAAAAAAAAACg==","spanId":"AAAAAAAAAAs=","operationName":"x"}';

test('translated records share a block, and what cannot be decoded is told by its place', () => {
  const records = [record(ZIPKIN), record('garbage'), record(''), record('[]'), record('[{}]')];
  const built = buildBlocks(
    transcoder,
    [...records, record(ZIPKIN)],
    'zipkin_json',
    MAX_AGE_SECONDS,
  );
  assert.deepEqual(built.failed, [1, 4]);
  assert.deepEqual(
    built.blocks.map(({ rows }) => rows),
    [4],
  );
  assert.equal(built.counts.spans, 4);
});

test('the same records make the same blocks, and another encoding makes other ones', () => {
  const build = (encoding: 'zipkin_json' | 'jaeger_json') =>
    buildBlocks(transcoder, [record(ZIPKIN), record(JAEGER)], encoding, MAX_AGE_SECONDS);
  assert.deepEqual(build('zipkin_json'), build('zipkin_json'));
  assert.deepEqual(build('zipkin_json').failed, [1]);
  assert.deepEqual(build('jaeger_json').failed, [0]);
});

test('a span without a time has that of its record, and is not too old', () => {
  const late = { ...record(ZIPKIN), recordUnixNanos: 1_795_416_050_000_000_000n };
  assert.equal(buildBlocks(transcoder, [late], 'zipkin_json', 1).counts.spans, 2);
});

test('records that are too many bytes for one walk are walked in turns, and all are there', () => {
  const size = Math.floor(transcoder.groupBytesMax / 2);
  const span = encodeSpans([1n]);
  // An unknown field, which the walk skips: 0x7a is field 15, bytes.
  const padding = new Uint8Array(size);
  padding.set([...span, 0x7a, ...varint(size - span.length - 1 - varint(size).length)]);
  const records = [record(padding), record(span), record(padding), record(padding)];
  const built = buildBlocks(transcoder, records, 'otlp_proto', MAX_AGE_SECONDS);
  assert.deepEqual(built.failed, []);
  assert.equal(built.counts.spans, 4);
  assert.equal(built.blocks.length, 2);
});

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
