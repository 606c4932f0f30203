import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CheckResult, noneRejected } from '../model/codec/otlp/check_result.ts';
import { RefusalError } from '../service/refusal.ts';
import type { LogRecord } from '../storage/span_log.ts';
import { createAccept } from './accept.ts';
import type { Batch } from './batch.ts';

const DAY = 86_400;

function setUp(result: CheckResult, failure?: Error) {
  const published: LogRecord[] = [];
  const counts: string[] = [];
  const accept = createAccept({
    check: () => result,
    publish: async (record) => {
      if (failure !== undefined) throw failure;
      published.push(record);
    },
    now: () => 1_700_000_000_000_000_000n,
    maxAgeSeconds: 30 * DAY,
    ledger: {
      received: (receiver, n) => counts.push(`received ${receiver} ${n}`),
      rejected: (reason, n) => counts.push(`rejected ${reason} ${n}`),
      refused: (n) => counts.push(`refused ${n}`),
    },
  });
  return { accept, published, counts };
}

const batch: Batch = { tenant: 't', bytes: new Uint8Array([1, 2]), receiver: 'otlp_http' };

describe('accept', () => {
  it('publishes the bytes as they came, stamped with the time of acceptance', async () => {
    const { accept, published, counts } = setUp({ ok: true, spans: 3, rejected: noneRejected() });
    assert.deepEqual(await accept(batch), { spans: 3, rejected: 0, message: '' });
    assert.equal(published[0]?.bytes, batch.bytes);
    assert.equal(published[0]?.recordUnixNanos, 1_700_000_000_000_000_000n);
    assert.deepEqual(counts, ['received otlp_http 3']);
  });

  it('tells the sender how many spans were rejected and why', async () => {
    const rejected = { ...noneRejected(), bad_trace_id: 1, too_old: 2 };
    const { accept, counts } = setUp({ ok: true, spans: 1, rejected });
    const accepted = await accept(batch);
    assert.equal(accepted.rejected, 3);
    assert.match(accepted.message, /1 with a trace_id .* 2 started .* retention of 30 d/);
    assert.deepEqual(counts, [
      'received otlp_http 4',
      'rejected bad_trace_id 1',
      'rejected too_old 2',
    ]);
  });

  it('publishes nothing where no span is kept', async () => {
    const rejected = { ...noneRejected(), too_new: 5 };
    const { accept, published } = setUp({ ok: true, spans: 0, rejected });
    assert.equal((await accept(batch)).rejected, 5);
    assert.equal(published.length, 0);
  });

  it('refuses malformed bytes for good and counts no span of them', async () => {
    const { accept, counts } = setUp({ ok: false, reason: 'malformed', message: 'bad bytes' });
    await assert.rejects(accept(batch), (error) => {
      assert.ok(error instanceof RefusalError);
      assert.deepEqual(error.refusal, { code: 'malformed', message: 'bad bytes' });
      return true;
    });
    assert.deepEqual(counts, []);
  });

  it('says no when publishing failed, and counts the spans as refused', async () => {
    const down = new RefusalError({ code: 'unavailable', message: 'down', retryAfterMs: 1000 });
    const { accept, counts } = setUp({ ok: true, spans: 2, rejected: noneRejected() }, down);
    await assert.rejects(accept(batch), down);
    assert.deepEqual(counts, ['received otlp_http 2', 'refused 2']);
  });
});
