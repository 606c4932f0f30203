import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toZipkinSpan } from '../model/codec/zipkin/to_json.ts';
import type { Span, SpanKind } from '../model/span.ts';
import { ZipkinLinker } from '../model/trace/zipkin_links.ts';
import type { ClickHouseAccess } from '../storage/clickhouse/client.ts';
import { makeSelect, type Select } from '../storage/clickhouse/select.ts';
import { SettleStore } from '../storage/clickhouse/settled/settle_store.ts';
import { listDependencies, listZipkinLinks } from './dependencies.ts';
import { planWindow } from './settled.ts';
import { startTestService, type TestService } from './testing/service.ts';
import { attributesOf, MINUTE, SECOND, spanOf } from './testing/spans.ts';

const BUCKET = 5n * MINUTE;
const DAY_MS = 86_400_000;

let service: TestService;
let select: Select;
let store: SettleStore;
/** The start of a bucket six hours ago: all of the test's spans are of the past. */
let start: bigint;

before(async () => {
  service = await startTestService();
  select = makeSelect(service.access);
  store = new SettleStore(service.access);
  const nowNanos = BigInt(await store.nowUnixMs()) * 1_000_000n;
  start = ((nowNanos - 6n * 60n * MINUTE) / BUCKET) * BUCKET;
});
after(() => service.stop());

/** Settles all that is due, a day from now, so that nothing is too new or was settled just now. */
async function settleAll(by: SettleStore = store): Promise<number> {
  let settled = 0;
  for (;;) {
    const now = await store.nowUnixMs();
    const { buckets } = await by.due(now + DAY_MS, 0, 1000);
    if (buckets.length === 0) return settled;
    for (const bucket of buckets) {
      await by.settle(bucket, { nowUnixMs: await store.nowUnixMs(), marginMs: 0 });
      settled++;
    }
  }
}

/** The same traces each time; eight minutes of them, most within seconds, some across buckets. */
function randomTraces(tenantSeed: number): Span[][] {
  let state = tenantSeed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * below);
  };
  const kinds: SpanKind[] = [1, 2, 2, 3, 3, 4, 5];
  return Array.from({ length: 40 }, (_, n) => {
    const begin = start + BigInt(random(8 * 60)) * SECOND;
    const step = random(4) === 0 ? 100n * SECOND : SECOND;
    return Array.from({ length: 1 + random(8) }, (_, i): Span => {
      // Now and then a parent that was never sent.
      const parent = random(15) === 0 ? 900 : random(i);
      return spanOf({
        traceId: (0xf000n + BigInt(n)).toString(16).padStart(32, '0'),
        spanId: (1 + i).toString(16).padStart(16, '0'),
        parentSpanId: i === 0 ? '' : (1 + parent).toString(16).padStart(16, '0'),
        service: `s${random(6)}`,
        kind: kinds[random(kinds.length)]!,
        statusCode: random(5) === 0 ? 2 : 0,
        attributes: random(3) === 0 ? attributesOf({ 'peer.service': `db${random(2)}` }) : [],
        startUnixNanos: begin + BigInt(i) * step,
        durationNanos: BigInt(1 + random(1_000_000_000)),
      });
    });
  });
}

interface Window {
  readonly fromUnixNanos: bigint;
  readonly toUnixNanos: bigint;
}

function callsOf(traces: readonly (readonly Span[])[], window: Window) {
  const calls = new Map<string, number>();
  for (const trace of traces) {
    const byId = new Map(trace.map((span) => [span.spanId, span]));
    for (const span of trace) {
      const parent = byId.get(span.parentSpanId);
      if (parent === undefined || parent.service === span.service || !isIn(span, window)) continue;
      const key = `${parent.service} ${span.service}`;
      calls.set(key, (calls.get(key) ?? 0) + 1);
    }
  }
  return [...calls]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, callCount]) => {
      const [parent, child] = key.split(' ');
      return { parent, child, callCount };
    });
}

function isIn(span: Span, { fromUnixNanos, toUnixNanos }: Window): boolean {
  return span.startUnixNanos >= fromUnixNanos && span.startUnixNanos <= toUnixNanos;
}

function linksOf(traces: readonly (readonly Span[])[]) {
  const linker = new ZipkinLinker();
  for (const trace of traces) linker.addTrace(trace.map(toZipkinSpan));
  return linker.links();
}

/** Answers of one tenant, checked against what was sent. */
async function check(tenant: string, traces: readonly (readonly Span[])[]): Promise<void> {
  const whole = { fromUnixNanos: start - BUCKET, toUnixNanos: start + 60n * BUCKET - 1n };
  // Cut in the middle of buckets, and of seconds.
  const part = { fromUnixNanos: start + 133n * SECOND, toUnixNanos: start + 723_456_789_012n };
  for (const window of [whole, part]) {
    const found = await listDependencies(select, { tenant, ...window });
    assert.deepEqual(found, callsOf(traces, window));
  }
  assert.deepEqual(await listZipkinLinks(select, tenant, whole), linksOf(traces));
}

/** An access whose statements beyond `writes` fail, as they would when the process is killed. */
function dyingAccess(access: ClickHouseAccess, writes: number): ClickHouseAccess {
  let left = writes;
  return {
    ...access,
    query: () => access.query(),
    ingest: () => (left-- > 0 ? access.ingest() : Promise.reject(new Error('killed'))),
  };
}

test('calls are the same from spans, when settled, and after each way to settle again', async () => {
  const traces = { acme: randomTraces(1), other: randomTraces(2) };
  const checkAll = async (): Promise<void> => {
    for (const [tenant, of] of Object.entries(traces)) await check(tenant, of);
  };
  for (const [tenant, of] of Object.entries(traces)) await service.insert(of.flat(), tenant);
  await checkAll();

  // Killed after each of its writes: what is there is as before.
  for (let writes = 0; writes < 4; writes++) {
    const now = await store.nowUnixMs();
    const { buckets } = await store.due(now + DAY_MS, 0, 3);
    const dying = new SettleStore(dyingAccess(service.access, writes));
    for (const bucket of buckets) {
      await assert.rejects(dying.settle(bucket, { nowUnixMs: now, marginMs: 0 }));
    }
  }
  await checkAll();

  const settled = await settleAll();
  assert.ok(settled > 5, `${settled} buckets`);
  await checkAll();
  const window = { tenant: 'acme', fromUnixNanos: start, toUnixNanos: start + 24n * BUCKET - 1n };
  assert.deepEqual((await planWindow(select, window)).fromSpans, []);

  // Everything is sent again: what is settled holds, and so does what is settled anew.
  for (const [tenant, of] of Object.entries(traces)) await service.insert(of.flat(), tenant);
  assert.notDeepEqual((await planWindow(select, window)).fromSpans, []);
  await checkAll();
  const again = await Promise.all([settleAll(), settleAll(new SettleStore(service.access))]);
  assert.ok(again[0] + again[1] > 5);
  await checkAll();
  assert.deepEqual((await planWindow(select, window)).fromSpans, []);
});

test('a parent that comes when its child is settled is found all the same', async () => {
  const tenant = 'late';
  const child = spanOf({
    traceId: 'a'.repeat(32),
    parentSpanId: '00000000000000aa',
    service: 'child',
    startUnixNanos: start + BUCKET + SECOND,
  });
  const parent = spanOf({
    traceId: 'a'.repeat(32),
    spanId: '00000000000000aa',
    service: 'parent',
    startUnixNanos: start - 10n * BUCKET,
  });
  const filter = { tenant, fromUnixNanos: start + BUCKET, toUnixNanos: start + 2n * BUCKET - 1n };
  await service.insert([child], tenant);
  await settleAll();
  assert.deepEqual(await listDependencies(select, filter), []);
  await service.insert([parent], tenant);
  await settleAll();
  assert.deepEqual((await planWindow(select, filter)).fromSpans, []);
  const call = { parent: 'parent', child: 'child', callCount: 1 };
  assert.deepEqual(await listDependencies(select, filter), [call]);
  // Nothing is due for ever, though each of the two asks for the other.
  assert.equal(await settleAll(), 0);
});

test('a client yields to a server that began long after its bucket was settled', async () => {
  const tenant = 'patient';
  const of = (spanId: string, parentSpanId: string, parts: Partial<Span>) =>
    spanOf({ traceId: 'c'.repeat(32), spanId, parentSpanId, ...parts });
  const asked = attributesOf({ 'peer.service': 'server' });
  const client = of('0000000000000001', '', {
    ...{ service: 'client', kind: 3, attributes: asked, startUnixNanos: start },
  });
  const server = of('0000000000000002', '0000000000000001', {
    ...{ service: 'server', kind: 2, startUnixNanos: start + 7n * MINUTE },
  });
  const window = { fromUnixNanos: start, toUnixNanos: start + 2n * BUCKET - 1n };
  const links = [{ parent: 'client', child: 'server', callCount: 1, errorCount: 0 }];
  await service.insert([client], tenant);
  await settleAll();
  assert.deepEqual(await listZipkinLinks(select, tenant, window), links);
  await service.insert([server], tenant);
  // In its own time: nothing came late, and still the bucket before has to know.
  const { buckets } = await store.due((await store.nowUnixMs()) + DAY_MS, 0, 10);
  const [own] = buckets;
  assert.equal(buckets.length, 1);
  const options = { nowUnixMs: await store.nowUnixMs(), marginMs: 0 };
  await store.settle({ ...own!, late: false }, options);
  assert.equal(await settleAll(), 1);
  assert.deepEqual((await planWindow(select, { tenant, ...window })).fromSpans, []);
  assert.deepEqual(await listZipkinLinks(select, tenant, window), links);
});

test('late spans show before their bucket is settled again', async () => {
  const tenant = 'fresh';
  const of = (service: string, spanId: string, parentSpanId: string) =>
    spanOf({ traceId: 'b'.repeat(32), spanId, parentSpanId, service, startUnixNanos: start });
  const filter = { tenant, fromUnixNanos: start, toUnixNanos: start + BUCKET - 1n };
  await service.insert([of('a', '0000000000000001', '')], tenant);
  await settleAll();
  await service.insert([of('b', '0000000000000002', '0000000000000001')], tenant);
  const call = { parent: 'a', child: 'b', callCount: 1 };
  assert.deepEqual(await listDependencies(select, filter), [call]);
});

test('a job that is told to stop does not wait for what it is writing', async () => {
  const tenant = 'stopped';
  await service.insert([spanOf({ startUnixNanos: start })], tenant);
  const stop = new AbortController();
  const client = await service.access.ingest();
  // Never answers, as a store that has much to do.
  const command: typeof client.command = ({ abort_signal: signal }) =>
    new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('gone')));
      stop.abort();
    });
  const busy: ClickHouseAccess = {
    database: service.access.database,
    query: () => service.access.query(),
    close: () => Promise.resolve(),
    ingest: () => Promise.resolve(Object.assign(Object.create(client), { command })),
  };
  const { buckets } = await store.due((await store.nowUnixMs()) + DAY_MS, 0, 1000);
  const due = buckets.find((bucket) => bucket.tenant === tenant)!;
  const options = { nowUnixMs: await store.nowUnixMs(), marginMs: 0, signal: stop.signal };
  await assert.rejects(new SettleStore(busy).settle(due, options), /settled numbers/);
});

test('of several settlers that are there the first one has the turn', async () => {
  assert.equal(await store.claim('one', 1000, 60_000), true);
  assert.equal(await store.claim('two', 2000, 60_000), false);
  assert.equal(await store.claim('one', 1000, 60_000), true);
  // One that was there before both, and has not been seen for an hour.
  const client = await service.access.ingest();
  await client.command({
    query: `INSERT INTO ${service.access.database}.settlers
SELECT toDateTime64(0, 3, 'UTC'), 'gone', now64(3, 'UTC') - INTERVAL 1 HOUR`,
  });
  assert.equal(await store.claim('one', 1000, 60_000), true);
});
