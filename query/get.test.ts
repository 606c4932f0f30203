import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Span } from '../model/span.ts';
import { type Select, SelectError } from '../storage/clickhouse/select.ts';
import { type FoundTrace, getTraces, traceKeyOf } from './get.ts';
import { openTestEngine, type TestEngine } from './testing/engine.ts';
import {
  attributesOf,
  eventOf,
  HOUR,
  linkOf,
  MINUTE,
  NOON,
  resourceOf,
  SECOND,
  scopeOf,
  spanOf,
  traceId,
} from './testing/spans.ts';

let engine: TestEngine;
before(() => {
  engine = openTestEngine();
});
after(() => engine.close());

async function get(...ids: string[]): Promise<FoundTrace[]> {
  const keys = ids.map((id) => traceKeyOf(id)!);
  return await Array.fromAsync(getTraces(engine.select, 'default', keys));
}

async function spanIds(id: string): Promise<string[]> {
  const [trace] = await get(id);
  return (trace?.spans ?? []).map((span) => span.spanId).sort();
}

const ids = (spans: readonly Span[]): string[] => spans.map((span) => span.spanId).sort();

test('a span comes back with everything that was sent of it', async () => {
  const span = spanOf({
    traceId: traceId(100),
    parentSpanId: 'ffffffffffffffff',
    traceState: 'vendor=1',
    flags: 0x101,
    statusCode: 2,
    statusMessage: 'nö',
    durationNanos: 123_456_789n,
    attributes: [
      ...attributesOf({ s: 'text', 'http.path': '/a b' }),
      ...attributesOf({ i: -(2n ** 63n), j: 2n ** 63n - 1n }),
      ...attributesOf({ d: 0.1, b: true, c: false }),
      ...attributesOf({ bytes: Buffer.from([0, 255]), list: ['x', 1n, false] }),
      { key: 'empty', value: { type: 'empty' } },
      { key: 'map', value: { type: 'map', value: attributesOf({ k: 'v' }) } },
    ],
    events: [eventOf('exception', { 'exception.type': 'E', n: 1n })],
    links: [linkOf(traceId(7), { why: 'retry' })],
    droppedAttributesCount: 3,
    droppedEventsCount: 4,
    droppedLinksCount: 5,
    resource: { ...resourceOf('shop', { 'host.name': 'h1' }), schemaUrl: 'https://r/1' },
    scope: { ...scopeOf('lib', '1.2', { x: 'y' }), schemaUrl: 'https://s/1' },
  });
  engine.insert([span]);
  const [trace] = await get(traceId(100));
  assert.deepEqual(trace, { traceId: traceId(100), spans: [span], cut: false });
});

test('strings that look like SQL, markup or prototypes come back as they were', async () => {
  const strange = ["it's", '\\', 'a\0b', '{x:String}', '%_', '‮rtl', '😀', '', '\n\t\r"`'];
  const attributes = [
    ...strange.map((text) => attributesOf({ [`k${text}`]: text })[0]!),
    { key: '__proto__', value: { type: 'string' as const, value: 'kept' } },
    { key: 'constructor', value: { type: 'string' as const, value: 'kept' } },
  ];
  const span = spanOf({ traceId: traceId(101), name: "'; DROP TABLE spans --\0", attributes });
  engine.insert([span]);
  const [trace] = await get(traceId(101));
  assert.deepEqual(trace?.spans, [span]);
});

test('a trace over the edge of a five minute bucket is whole', async () => {
  const edge = NOON + 5n * MINUTE;
  const spans = [-1n, 0n, 1n].map((nanos) =>
    spanOf({ traceId: traceId(102), startUnixNanos: edge + nanos }),
  );
  engine.insert(spans);
  assert.deepEqual(await spanIds(traceId(102)), ids(spans));
});

test('a trace over midnight is whole, with its resource of both days', async () => {
  const midnight = NOON + 12n * HOUR;
  const spans = [-2n, -1n, 0n, 1n].map((seconds) =>
    spanOf({ traceId: traceId(103), startUnixNanos: midnight + seconds * SECOND }),
  );
  engine.insert(spans);
  const [trace] = await get(traceId(103));
  assert.deepEqual(ids(trace!.spans), ids(spans));
  for (const span of trace!.spans) assert.deepEqual(span.resource, resourceOf('shop'));
});

test('a trace of three hours is whole, though its spans came in many inserts', async () => {
  const spans = Array.from({ length: 19 }, (_, i) =>
    spanOf({ traceId: traceId(104), startUnixNanos: NOON + BigInt(i) * 10n * MINUTE }),
  );
  for (const span of spans) engine.insert([span]);
  assert.deepEqual(await spanIds(traceId(104)), ids(spans));
});

test('spans that come two hours or two days late are found', async () => {
  const spans = [0n, 2n * HOUR, 48n * HOUR].map((late) =>
    spanOf({ traceId: traceId(105), startUnixNanos: NOON + late }),
  );
  for (const span of spans) engine.insert([span]);
  assert.deepEqual(await spanIds(traceId(105)), ids(spans));
});

test('spans that were sent twice are there once', async () => {
  const spans = [spanOf({ traceId: traceId(106) }), spanOf({ traceId: traceId(106) })];
  engine.insert(spans);
  engine.insert(spans);
  engine.insert([spans[0]!]);
  assert.deepEqual(await spanIds(traceId(106)), ids(spans));
});

test('two different spans with one id are both there', async () => {
  const client = spanOf({ traceId: traceId(107), spanId: '00000000000000aa', kind: 3 });
  const server = { ...client, kind: 2 as const };
  const renamed = { ...client, name: 'other' };
  engine.insert([client, server, renamed]);
  assert.equal((await spanIds(traceId(107))).length, 3);
});

test('several traces come in the order asked for, unknown and repeated ids once or not at all', async () => {
  engine.insert([1100, 1101, 1102].map((n) => spanOf({ traceId: traceId(n) })));
  const found = await get(traceId(1102), traceId(9999), traceId(1100), traceId(1102));
  assert.deepEqual(
    found.map((trace) => trace.traceId),
    [traceId(1102), traceId(1100)],
  );
});

test('traces that share the low half of their id stay apart', async () => {
  const low = '00000000000000ff';
  const one = spanOf({ traceId: `1111111111111111${low}` });
  const other = spanOf({ traceId: `0000000000000000${low}` });
  engine.insert([one, other]);
  assert.deepEqual(await spanIds(one.traceId), [one.spanId]);
  assert.deepEqual(await spanIds('ff'), [other.spanId], 'leading zeros may be missing');
});

test('another tenant sees nothing', async () => {
  engine.insert([spanOf({ traceId: traceId(108) })], 'acme');
  assert.deepEqual(await get(traceId(108)), []);
  const own = getTraces(engine.select, 'acme', [traceKeyOf(traceId(108))!]);
  assert.equal((await Array.fromAsync(own)).length, 1);
});

test('traces that are too large together are read one by one, and one alone is refused', async () => {
  const keys = [1100, 1101].map((n) => traceKeyOf(traceId(n))!);
  let tooLargeFrom = 2;
  const select: Select = async (statement, signal) => {
    const { lows } = statement.params;
    if (Array.isArray(lows) && lows.length >= tooLargeFrom) {
      throw new SelectError('too_much', 'too much');
    }
    return await engine.select(statement, signal);
  };
  assert.equal((await Array.fromAsync(getTraces(select, 'default', keys))).length, 2);
  tooLargeFrom = 1;
  await assert.rejects(Array.fromAsync(getTraces(select, 'default', keys)), SelectError);
});

test('an id is one to 32 hex digits', () => {
  assert.deepEqual(traceKeyOf('1'), { high: 0n, low: 1n });
  assert.deepEqual(traceKeyOf('ABCDEF00112233440000000000000001'), {
    high: 0xabcdef0011223344n,
    low: 1n,
  });
  for (const bad of ['', 'x', '0x1', ' 1', '-1', '1'.repeat(33)]) {
    assert.equal(traceKeyOf(bad), undefined, bad);
  }
});

test('ten thousand spans are read without keeping others waiting', async () => {
  const spans = Array.from({ length: 10_000 }, (_, i) =>
    spanOf({
      traceId: traceId(109),
      startUnixNanos: NOON + BigInt(i) * 1000n,
      attributes: attributesOf({ 'http.path': `/p/${i}`, n: BigInt(i), ok: true, 'db.name': 'x' }),
    }),
  );
  engine.insert(spans);
  // Of this thread alone: neither the engine in this process nor other processes count.
  const cpuMs = (): number =>
    (process.threadCpuUsage().user + process.threadCpuUsage().system) / 1000;
  let stallMs = 0;
  let last = cpuMs();
  const timer = setInterval(() => {
    stallMs = Math.max(stallMs, cpuMs() - last);
    last = cpuMs();
  }, 1);
  const [trace] = await get(traceId(109));
  clearInterval(timer);
  assert.equal(trace?.spans.length, 10_000);
  assert.ok(stallMs < 250, `the longest stall was ${stallMs} ms`);
});
