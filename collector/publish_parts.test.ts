import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadTranscoder } from '../model/codec/otlp/transcoder.ts';
import { RefusalError } from '../service/refusal.ts';
import { PublishError } from '../storage/kafka/publish_error.ts';
import type { LogRecord } from '../storage/span_log.ts';
import { createAccept } from './accept.ts';
import { refusing } from './refusing.ts';

const NOW = 1_790_000_000_000_000_000n;
const RECORD_BYTES_MAX = 2000;

/** Tag, length below 2^14 as two bytes, content. */
function field(number: number, content: Uint8Array): Buffer {
  const length = [(content.length & 127) | 128, content.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), content]);
}

/** `bytes` is the length of the name; a span with an all-zero trace id is rejected. */
function span(bytes: number, trace = 1): Buffer {
  const start = Buffer.alloc(9);
  start[0] = (7 << 3) | 1;
  start.writeBigUInt64LE(NOW, 1);
  return Buffer.concat([
    field(1, Buffer.alloc(16, trace)),
    field(2, Buffer.alloc(8, 1)),
    field(5, Buffer.alloc(bytes, 'n')),
    start,
  ]);
}

function request(spans: readonly Buffer[]): Buffer {
  return field(1, field(2, Buffer.concat(spans.map((one) => field(2, one)))));
}

async function setUp(failure?: (published: number) => Error | undefined) {
  const transcoder = await loadTranscoder();
  const published: LogRecord[] = [];
  const counts: string[] = [];
  const accept = createAccept({
    check: (bytes, nanos, maxAge) => transcoder.check(bytes, nanos, maxAge),
    publish: refusing(async (record) => {
      const error = failure?.(published.length);
      if (error !== undefined) throw error;
      published.push(record);
    }),
    recordBytesMax: RECORD_BYTES_MAX,
    now: () => NOW,
    maxAgeSeconds: 86_400,
    ledger: {
      received: (_, n) => counts.push(`received ${n}`),
      rejected: (reason, n) => counts.push(`rejected ${reason} ${n}`),
      refused: (n) => counts.push(`refused ${n}`),
    },
  });
  const send = (spans: readonly Buffer[]) =>
    accept({ tenant: 't', bytes: request(spans), receiver: 'otlp_grpc' });
  return { send, published, counts };
}

describe('a batch over the size of a record', () => {
  it('is published in parts that fit, and acknowledged as a whole', async () => {
    const { send, published, counts } = await setUp();
    const accepted = await send(Array.from({ length: 12 }, () => span(600)));
    assert.deepEqual(accepted, { spans: 12, rejected: 0, message: '' });
    assert.ok(published.length > 3);
    for (const { bytes, tenant, recordUnixNanos } of published) {
      assert.ok(bytes.length <= RECORD_BYTES_MAX);
      assert.deepEqual([tenant, recordUnixNanos], ['t', NOW]);
    }
    assert.equal(
      published.reduce((sum, { spans }) => sum + spans, 0),
      12,
    );
    assert.deepEqual(counts, ['received 12']);
  });

  it('loses a span that fits into no record, with a reason that names the limit', async () => {
    const { send, published, counts } = await setUp();
    const accepted = await send([span(600), span(3000), span(600), span(600)]);
    assert.deepEqual([accepted.spans, accepted.rejected], [3, 1]);
    assert.match(accepted.message, /1 too large for a record of the log, which takes 2000 bytes/);
    assert.equal(
      published.reduce((sum, { spans }) => sum + spans, 0),
      3,
    );
    assert.deepEqual(counts, ['received 4', 'rejected over_record 1']);
  });

  it('counts a span once that is bad and too large', async () => {
    const { send, counts } = await setUp();
    const accepted = await send([span(600), span(3000, 0), span(600)]);
    assert.deepEqual([accepted.spans, accepted.rejected], [2, 1]);
    assert.deepEqual(counts, ['received 3', 'rejected bad_trace_id 1']);
  });

  it('is refused as a whole when one part is, with the delay of the log', async () => {
    const trouble = new PublishError('unavailable', 'later', 1500);
    const { send, counts } = await setUp((count) => (count === 2 ? trouble : undefined));
    await assert.rejects(send(Array.from({ length: 12 }, () => span(600))), (error) => {
      assert.ok(error instanceof RefusalError);
      assert.deepEqual(error.refusal, {
        code: 'unavailable',
        message: 'later',
        retryAfterMs: 1500,
      });
      return true;
    });
    assert.deepEqual(counts, ['received 12', 'refused 12']);
  });

  it('passes a bug on as a bug', async () => {
    const { send } = await setUp(() => new TypeError('ours'));
    await assert.rejects(send([span(10)]), TypeError);
  });
});
