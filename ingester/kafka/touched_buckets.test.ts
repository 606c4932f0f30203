import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadTranscoder } from '../../model/codec/otlp/transcoder.ts';
import { encodeSpans } from './testing/encode_spans.ts';
import { addBuckets } from './touched_buckets.ts';

const BUCKET_NANOS = 300_000_000_000n;

describe('touched buckets', () => {
  it('are those of the rows, to the nanosecond', async () => {
    const transcoder = await loadTranscoder();
    const base = 5_983_000n * BUCKET_NANOS;
    const starts = [base, base - 1n, base + BUCKET_NANOS, base + BUCKET_NANOS - 1n];
    const record = { tenant: 'a', bytes: encodeSpans(starts), recordUnixNanos: base };
    const { blocks } = transcoder.transcode([record], { maxAgeSeconds: 86_400 });
    const buckets = new Set<number>();
    for (const { native } of blocks) addBuckets(native, buckets);
    const first = Number(base / 1_000_000_000n);
    assert.deepEqual([...buckets].sort(), [first - 300, first, first + 300]);
  });

  it('refuse a block of another schema', () => {
    const other = new Uint8Array([1, 1, 1, 0x78, 1, 0x79]);
    assert.throws(() => addBuckets(other, new Set()), /Expected the column tenant/);
  });
});
