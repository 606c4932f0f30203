import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plain, RequestType } from '../model/codec/otlp/testing/proto_root.ts';
import { MemoryBudget } from '../service/memory_budget.ts';
import { JsonWorker } from './json_worker.ts';
import { Reservation } from './receivers/reservation.ts';

const MIB = 1024 * 1024;

const LIVE = new AbortController().signal;

/** A well-formed request of at least `bytes` bytes, with its number of spans. */
function honest(bytes: number): { json: Uint8Array<ArrayBuffer>; spans: number } {
  const span = (i: number): string =>
    `{"traceId":"${String(i).padStart(32, 'a')}","spanId":"${String(i).padStart(16, 'b')}","name":"GET /checkout","kind":2,"startTimeUnixNano":"1795397985080000000","endTimeUnixNano":"1795397985083501093","attributes":[${'{"key":"http.request.method","value":{"stringValue":"größe"}},'.repeat(9)}{"key":"n","value":{"intValue":${i}}}]}`;
  const spans = Math.ceil(bytes / span(0).length);
  const text = Array.from({ length: spans }, (_, i) => span(i)).join(',');
  const json = Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[${text}]}]}]}`);
  return { json: new Uint8Array(json), spans };
}

function spansOf(bytes: Uint8Array): number {
  const { resourceSpans } = plain(RequestType, bytes) as {
    resourceSpans: { scopeSpans: { spans: unknown[] }[] }[];
  };
  return resourceSpans[0]?.scopeSpans[0]?.spans.length ?? 0;
}

async function withWorker(
  limitBytes: number,
  use: (worker: JsonWorker, reservation: Reservation, budget: MemoryBudget) => Promise<void>,
): Promise<void> {
  const worker = new JsonWorker();
  const budget = new MemoryBudget(limitBytes);
  const reservation = new Reservation(budget);
  try {
    await use(worker, reservation, budget);
  } finally {
    reservation.close();
    await worker.stop();
  }
  assert.equal(budget.usedBytes, 0);
}

test('a small and a large body become the same protobuf, and are paid for', async () => {
  await withWorker(64 * MIB, async (worker, reservation, budget) => {
    for (const size of [1000, 2 * MIB]) {
      const { json, spans } = honest(size);
      const bytes = await worker.toProto(json, reservation, LIVE);
      assert.equal(spansOf(bytes), spans);
      assert.ok(budget.usedBytes >= bytes.buffer.byteLength);
    }
  });
});

/** CPU milliseconds of this thread alone: what it stood still for, on however busy a machine. */
async function loopMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.threadCpuUsage();
  await work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

test('58 MiB of honest JSON take less than 250 ms of the event loop, all in all', async () => {
  const { json, spans } = honest(58 * MIB);
  assert.ok(spans > 50_000);
  await withWorker(512 * MIB, async (worker, reservation) => {
    const ms = await loopMs(async () => {
      const bytes = await worker.toProto(json, reservation, LIVE);
      assert.ok(bytes.length > 15 * MIB);
    });
    assert.ok(ms < 250, `the loop was held for ${ms} ms`);
  });
});

test('a body at the limit of what is done at once holds the loop for less than 250 ms', async () => {
  const { json } = honest(0.97 * MIB);
  assert.ok(json.length <= MIB);
  await withWorker(64 * MIB, async (worker, reservation) => {
    const ms = await loopMs(() => worker.toProto(json, reservation, LIVE));
    assert.ok(ms < 250, `the loop was held for ${ms} ms`);
  });
});

test('a large body that is malformed is refused by name of the place', async () => {
  const { json } = honest(2 * MIB);
  await withWorker(64 * MIB, async (worker, reservation) => {
    const broken = json.slice(0, json.length - 1);
    await assert.rejects(worker.toProto(broken, reservation, LIVE), /broken at byte/);
  });
});

test('past sixteen waiting bodies the next is told to come again', async () => {
  await withWorker(512 * MIB, async (worker, reservation) => {
    const body = honest(MIB + 1).json;
    const send = () => worker.toProto(body.slice(), reservation, LIVE);
    // One runs, sixteen wait.
    const taken = Array.from({ length: 17 }, send);
    await assert.rejects(send(), (error: { refusal?: { code: string; retryAfterMs?: number } }) => {
      return error.refusal?.code === 'busy' && error.refusal.retryAfterMs !== undefined;
    });
    const all = await Promise.all(taken);
    assert.equal(new Set(all.map((bytes) => bytes.length)).size, 1);
  });
});

test('a body whose sender left while it waited is not worked on', async () => {
  await withWorker(64 * MIB, async (worker, reservation) => {
    const gone = new AbortController();
    const body = honest(MIB + 1).json;
    const first = worker.toProto(body.slice(), reservation, LIVE);
    const second = worker.toProto(body.slice(), reservation, gone.signal);
    gone.abort();
    await assert.rejects(second, /the client has left/);
    await first;
  });
});

test('stopping refuses what waits, retryably', async () => {
  await withWorker(64 * MIB, async (worker, reservation) => {
    const waiting = worker.toProto(honest(4 * MIB).json, reservation, LIVE);
    const refused = assert.rejects(waiting, (error: { refusal?: { code: string } }) => {
      return error.refusal?.code === 'unavailable';
    });
    await worker.stop();
    await refused;
  });
});

test('when the memory is full nothing is begun', async () => {
  await withWorker(MIB, async (worker, reservation) => {
    await assert.rejects(worker.toProto(honest(2 * MIB).json, reservation, LIVE), /memory/);
  });
});
