import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryBudget } from './memory_budget.ts';
import { Metrics, openMetrics } from './metrics.ts';
import { registerMemoryBudget, registerProcessMetrics } from './process_metrics.ts';

function value(page: string, series: string): number {
  const line = page.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  assert.ok(line !== undefined, `${series} in\n${page}`);
  return Number(line.slice(series.length + 1));
}

test('a counter adds up by label', async () => {
  const metrics = new Metrics();
  const rejected = metrics.counter('spanhouse_spans_rejected_total', 'Rejected.', ['reason']);
  rejected.add({ reason: 'too_old' });
  rejected.add({ reason: 'too_old' }, 4);
  rejected.add({ reason: 'too_new' });
  const page = await metrics.expose();
  assert.equal(value(page, 'spanhouse_spans_rejected_total{reason="too_old"}'), 5);
  assert.equal(value(page, 'spanhouse_spans_rejected_total{reason="too_new"}'), 1);
});

test('a counter without labels is there before its first event', async () => {
  const metrics = new Metrics();
  metrics.counter('spanhouse_a_total', 'A.');
  assert.equal(value(await metrics.expose(), 'spanhouse_a_total'), 0);
});

test('a gauge is read at each scrape', async () => {
  const metrics = new Metrics();
  let now = 1;
  metrics.gauge('spanhouse_now', 'Now.', () => now);
  assert.equal(value(await metrics.expose(), 'spanhouse_now'), 1);
  now = 2;
  assert.equal(value(await metrics.expose(), 'spanhouse_now'), 2);
});

test('a histogram counts into its buckets', async () => {
  const metrics = new Metrics();
  const took = metrics.histogram('spanhouse_took_seconds', 'Took.', [], [0.1, 1]);
  took.observe({}, 0.05);
  took.observe({}, 0.5);
  const page = await metrics.expose();
  assert.equal(value(page, 'spanhouse_took_seconds_bucket{le="0.1"}'), 1);
  assert.equal(value(page, 'spanhouse_took_seconds_bucket{le="1"}'), 2);
});

test('a name that is not of our style, or taken, throws at start', () => {
  const metrics = new Metrics();
  assert.throws(() => metrics.counter('requests', 'No.'), /is no metric name/);
  metrics.counter('spanhouse_a_total', 'A.');
  assert.throws(() => metrics.counter('spanhouse_a_total', 'A.'));
});

test('the process shows its memory, CPU, files and the delay of its event loop', async (t) => {
  const metrics = new Metrics();
  const registered = registerProcessMetrics(metrics);
  t.after(() => registered.stop());
  await new Promise((resolve) => setTimeout(resolve, 50));
  const until = performance.now() + 200;
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const page = await metrics.expose();
  assert.ok(value(page, 'process_resident_memory_bytes') > 1e6);
  assert.ok(value(page, 'process_cpu_seconds_total') > 0);
  assert.ok(value(page, 'nodejs_memory_bytes{kind="heapUsed"}') > 1e6);
  assert.ok(value(page, 'spanhouse_event_loop_delay_seconds{quantile="1"}') > 0.15);
  const after = await metrics.expose();
  assert.ok(value(after, 'spanhouse_event_loop_delay_seconds{quantile="1"}') < 0.15);
});

test('the memory budget shows what is used, its limit and its refusals', async () => {
  const metrics = new Metrics();
  const budget = new MemoryBudget(100);
  registerMemoryBudget(metrics, budget);
  budget.tryReserve(60);
  budget.tryReserve(60);
  const page = await metrics.expose();
  assert.equal(value(page, 'spanhouse_memory_used_bytes'), 60);
  assert.equal(value(page, 'spanhouse_memory_limit_bytes'), 100);
  assert.equal(value(page, 'spanhouse_memory_refusals_total'), 1);
});

test('metrics are served at /metrics and nowhere else', async (t) => {
  const metrics = new Metrics();
  metrics.gauge('spanhouse_now', 'Now.', () => 7);
  const at = { host: 'localhost', port: 0, setting: 'listen.metrics' };
  const http = await openMetrics(metrics, at);
  t.after(() => http.stop(0));
  const page = await fetch(`http://127.0.0.1:${http.port}/metrics`);
  assert.match(page.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  assert.equal(value(await page.text(), 'spanhouse_now'), 7);
  assert.equal((await fetch(`http://127.0.0.1:${http.port}/`)).status, 404);
});
