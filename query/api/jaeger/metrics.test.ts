import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Span } from '../../../model/span.ts';
import { SettleStore } from '../../../storage/clickhouse/settled/settle_store.ts';
import { OTHER_TENANT, startTestService, type TestService } from '../../testing/service.ts';
import { MINUTE, NOON, SECOND, spanOf, traceId } from '../../testing/spans.ts';

const DAY_MS = 86_400_000;
const NOON_MS = Number(NOON / 1_000_000n);

let service: TestService;
/** An hour before noon on: 600 calls of `shop`, some failed, and some of another kind. */
const spans: Span[] = Array.from({ length: 600 }, (_, i) =>
  spanOf({
    traceId: traceId(5000 + i),
    service: i % 7 === 0 ? 'store' : 'shop',
    name: i % 3 === 0 ? 'GET /a' : 'GET /b',
    kind: i % 5 === 0 ? 3 : 2,
    statusCode: i % 4 === 0 ? 2 : 0,
    startUnixNanos: NOON - 60n * MINUTE + BigInt(i) * 6n * SECOND,
    durationNanos: BigInt(Math.floor(1_000_000 * 1.02 ** (i % 300))),
  }),
);

before(async () => {
  service = await startTestService();
  await service.insert(spans);
  // Sent twice, and the same traces of another tenant, all of them quick.
  await service.insert(spans);
  const others = spans.slice(0, 100).map((span) => ({ ...span, durationNanos: 1000n }));
  await service.insert(others, OTHER_TENANT);
});
after(() => service.stop());

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly metrics: readonly {
    readonly labels: readonly { readonly name: string; readonly value: string }[];
    readonly metricPoints: readonly {
      readonly gaugeValue: { readonly doubleValue: number | 'NaN' };
      readonly timestamp: string;
    }[];
  }[];
}

const ask = async (path: string, of: Pick<TestService, 'get'> = service): Promise<Family> => {
  const { status, text } = await of.get(`/api/metrics/${path}`);
  assert.equal(status, 200, text);
  return JSON.parse(text) as Family;
};

const valuesOf = (family: Family, series = 0) =>
  family.metrics[series]!.metricPoints.map((point) => point.gaugeValue.doubleValue);

interface Asked {
  readonly service: string;
  readonly name?: string;
  readonly kind?: number;
}

/** The spans that a point at `atMs` looks back on. */
function lookBack(atMs: number, backMinutes: number, asked: Asked): Span[] {
  const end = BigInt(Math.ceil(atMs / 60_000)) * MINUTE;
  return spans.filter(
    (span) =>
      span.service === asked.service &&
      span.kind === (asked.kind ?? 2) &&
      (asked.name === undefined || span.name === asked.name) &&
      span.startUnixNanos >= end - BigInt(backMinutes) * MINUTE &&
      span.startUnixNanos < end,
  );
}

/** Every point of every metric against the spans themselves. */
async function checkAll(): Promise<void> {
  const window = `endTs=${NOON_MS + 90_000}&lookback=4500000&step=50000&ratePer=600000`;
  const calls = await ask(`calls?service=shop&service=store&${window}`);
  assert.equal(calls.name, 'service_call_rate');
  assert.equal(calls.metrics.length, 2);
  const errors = await ask(`errors?service=shop&groupByOperation=true&${window}`);
  assert.equal(errors.name, 'service_operation_error_rate');
  const labels = errors.metrics.map((metric) => metric.labels.map((label) => label.value));
  assert.deepEqual(labels, [
    ['shop', 'GET /a'],
    ['shop', 'GET /b'],
  ]);
  const p95 = await ask(`latencies?service=shop&quantile=0.95&spanKind=client&${window}`);
  assert.equal(p95.name, 'service_latencies');
  const points = calls.metrics[0]!.metricPoints;
  assert.equal(points.length, 91);
  for (const [i, { timestamp }] of points.entries()) {
    const at = Date.parse(timestamp);
    assert.equal(at, NOON_MS + 90_000 - 4_500_000 + i * 50_000);
    assert.equal(valuesOf(calls, 0)[i], lookBack(at, 10, { service: 'shop' }).length / 600);
    assert.equal(valuesOf(calls, 1)[i], lookBack(at, 10, { service: 'store' }).length / 600);
    const some = lookBack(at, 10, { service: 'shop', name: 'GET /b' });
    const failed = some.filter((span) => span.statusCode === 2).length;
    assert.equal(valuesOf(errors, 1)[i], some.length === 0 ? 'NaN' : failed / some.length);
    const durations = lookBack(at, 10, { service: 'shop', kind: 3 })
      .map((span) => Number(span.durationNanos) / 1e6)
      .sort((a, b) => a - b);
    const exact = durations[Math.ceil(0.95 * durations.length) - 1];
    const shown = valuesOf(p95)[i]!;
    if (exact === undefined) assert.equal(shown, 'NaN');
    else assert.ok(Math.abs(Number(shown) / exact - 1) < 0.0222, `${shown} for ${exact}`);
  }
}

test('rates are exact and quantiles within 2.2 %, from spans and from settled numbers', async () => {
  await checkAll();
  const store = new SettleStore(service.access);
  const later = Math.max(await store.nowUnixMs(), NOON_MS) + DAY_MS;
  for (const bucket of (await store.due(later, 0, 1000)).buckets) {
    await store.settle(bucket, { nowUnixMs: await store.nowUnixMs(), marginMs: 0 });
  }
  await checkAll();
});

test('a tenant sees its own calls only', async () => {
  const window = `endTs=${NOON_MS}&lookback=0&ratePer=3600000`;
  const path = `latencies?service=shop&quantile=1&${window}`;
  const [own] = valuesOf(await ask(path));
  const [other] = valuesOf(await ask(path, service.other));
  assert.ok(Number(own) > 100);
  assert.ok(Number(other) < 0.0011);
  const calls = await ask(`calls?service=shop&${window}`, service.other);
  const wanted = spans.slice(0, 100).filter((span) => span.service === 'shop' && span.kind === 2);
  assert.equal(valuesOf(calls)[0], wanted.length / 3600);
});

test('answers have the form that Monitor pages read', async () => {
  const family = await ask(
    `latencies?service=shop&quantile=0.5&endTs=${NOON_MS}&lookback=0&groupByOperation=true`,
  );
  assert.equal(family.name, 'service_operation_latencies');
  assert.equal(family.type, 'GAUGE');
  assert.equal(family.help, '0.50th quantile latency, grouped by service & operation');
  assert.deepEqual(family.metrics[0]?.labels, [
    { name: 'service_name', value: 'shop' },
    { name: 'operation', value: 'GET /a' },
  ]);
  assert.equal(family.metrics[0]?.metricPoints[0]?.timestamp, '2026-11-23T12:00:00.000Z');
  assert.deepEqual((await ask(`calls?service=nobody&endTs=${NOON_MS}`)).metrics, []);
  const minstep = await service.get('/api/metrics/minstep');
  assert.equal((JSON.parse(minstep.text) as { data: number }).data, 60_000);
});

test('bad questions get a sentence', async () => {
  const bad: Readonly<Record<string, RegExp>> = {
    calls: /please provide at least one service name/,
    'calls?service=': /please provide at least one service name/,
    'latencies?service=a': /'quantile': strconv.ParseFloat: parsing \\"\\": invalid syntax/,
    'latencies?service=a&quantile=x': /strconv.ParseFloat/,
    'latencies?service=a&quantile=1.5': /from 0 to 1/,
    'calls?service=a&step=0': /'step' should be at least 1 ms/,
    'calls?service=a&step=-1': /'step' should not be negative/,
    'calls?service=a&step=1': /more than 11000 points/,
    'calls?service=a&lookback=x': /strconv.ParseInt/,
    'calls?service=a&lookback=-1': /should not be negative/,
    'calls?service=a&lookback=9000000000000&step=9000000000': /'lookback' should be at most/,
    'calls?service=a&endTs=99999999999999999999': /value out of range/,
    'calls?service=a&ratePer=0': /'ratePer' should be at least 1 ms/,
    'calls?service=a&spanKind=teapot': /unsupported span kind: \\"teapot\\"/,
    'calls?service=a&groupByOperation=perhaps': /strconv.ParseBool/,
    [`calls?service=${'x'.repeat(2000)}`]: /at most 1024 characters/,
    [`calls?${Array.from({ length: 101 }, (_, i) => `service=${i}`).join('&')}`]: /at most 100/,
  };
  for (const [path, message] of Object.entries(bad)) {
    const { status, text } = await service.get(`/api/metrics/${path}`);
    assert.equal(status, 400, `${path}: ${text}`);
    assert.match(text, message);
  }
  const sql = encodeURIComponent("x' OR 1=1 --");
  const { status, text } = await service.get(`/api/metrics/calls?service=${sql}`);
  assert.equal(status, 200);
  assert.deepEqual((JSON.parse(text) as Family).metrics, []);
});
