import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Span } from '../../model/span.ts';
import { startPods } from './pods.ts';
import { Random } from './random.ts';
import { makeTrace, pickScenario, SCENARIOS } from './scenario.ts';
import { N_PLUS_1_SELECTS } from './shop.ts';

const END_UNIX_NANOS = 1_790_000_000_000_000_000n;
const SPAN_KIND_CONSUMER = 5;

test('every trace has one root, and every other span a parent in the trace', () => {
  for (const spans of manyTraces()) {
    const ids = new Set(spans.map((span) => span.spanId));
    assert.equal(ids.size, spans.length);
    assert.equal(new Set(spans.map((span) => span.traceId)).size, 1);
    assert.equal(spans.filter((span) => span.parentSpanId === '').length, 1);
    for (const span of spans) assert.ok(span.parentSpanId === '' || ids.has(span.parentSpanId));
  }
});

test('spans lie within their parents, but consumers begin after the producer ended', () => {
  let consumers = 0;
  for (const spans of manyTraces()) {
    for (const { span, parent } of withParents(spans)) {
      assert.ok(span.durationNanos > 0n, span.name);
      if (span.kind === SPAN_KIND_CONSUMER) {
        consumers++;
        assert.ok(span.startUnixNanos > endOf(parent), span.name);
        assert.deepEqual(
          span.links.map((link) => [link.traceId, link.spanId]),
          [[parent.traceId, parent.spanId]],
        );
      } else {
        assert.ok(span.startUnixNanos >= parent.startUnixNanos, span.name);
        assert.ok(endOf(span) <= endOf(parent), `${span.name} in ${parent.name}`);
      }
    }
  }
  assert.ok(consumers > 0);
});

test('the last span of a trace ends when asked', () => {
  for (const spans of manyTraces()) {
    assert.equal(spans.map(endOf).sort().at(-1), END_UNIX_NANOS);
  }
});

test('a server span belongs to another service than its client, with the same status', () => {
  for (const { span, parent } of manyTraces().flatMap(withParents)) {
    if (span.kind !== 2) continue;
    assert.equal(parent.kind, 3);
    assert.notEqual(span.service, parent.service);
    assert.deepEqual(attribute(span, STATUS), attribute(parent, STATUS));
  }
});

test('the N+1 is one list and then as many single selects of the same statement', () => {
  const selects = play('N+1 in cart').filter((span) => span.name === 'SELECT products');
  assert.equal(selects.length, N_PLUS_1_SELECTS);
  assert.equal(new Set(selects.map((span) => span.parentSpanId)).size, 1);
  assert.equal(new Set(selects.map((span) => attribute(span, 'db.query.text'))).size, 1);
  assert.equal(play('N+1 in cart').filter((span) => span.name === 'SELECT cart_lines').length, 1);
});

test('the failed checkout has an exception with its stack, and errors up to the root', () => {
  const spans = play('failed checkout');
  const exceptions = spans.flatMap((span) => span.events).filter((e) => e.name === 'exception');
  assert.equal(exceptions.length, 2);
  for (const event of exceptions) {
    const stack = event.attributes.find(({ key }) => key === 'exception.stacktrace')?.value;
    assert.ok(stack?.type === 'string' && stack.value.split('\n').length >= 5);
    assert.ok(!stack.value.includes('{}'));
  }
  const root = spans.find((span) => span.parentSpanId === '');
  assert.equal(root?.statusCode, 2);
  assert.equal(attribute(root, STATUS), 502n);
  assert.ok(!spans.some((span) => span.service === 'email'));
});

test('the retry fails once, succeeds with a resend count, and the trace is fine', () => {
  const spans = play('retry that helps');
  const tries = spans.filter((span) => attribute(span, 'server.address') === 'api.bank.example');
  assert.deepEqual(
    tries.map((span) => [attribute(span, STATUS), attribute(span, 'http.request.resend_count')]),
    [
      [503n, undefined],
      [200n, 1n],
    ],
  );
  assert.equal(spans.find((span) => span.parentSpanId === '')?.statusCode, 0);
});

test('payment 2.4.1 is slow where 2.4.0 is not', () => {
  const byVersion = new Map<string, number[]>();
  for (const span of manyTraces(600).flat()) {
    if (span.name !== 'score risk') continue;
    const version = span.resource.attributes.find(({ key }) => key === 'service.version')?.value;
    assert.ok(version?.type === 'string');
    const durations = byVersion.get(version.value) ?? [];
    durations.push(Number(span.durationNanos) / 1e6);
    byVersion.set(version.value, durations);
  }
  assert.deepEqual([...byVersion.keys()].sort(), ['2.4.0', '2.4.1']);
  assert.ok(Math.max(...(byVersion.get('2.4.0') ?? [])) < 50);
  assert.ok(Math.min(...(byVersion.get('2.4.1') ?? [])) > 150);
});

test('branches of the home page overlap', () => {
  const calls = play('home page').filter((span) => span.kind === 3 && span.service === 'gateway');
  assert.equal(calls.length, 3);
  const starts = calls.map((span) => span.startUnixNanos);
  for (const end of calls.map(endOf)) assert.ok(starts.every((start) => start < end));
});

test('the same seed makes the same traces, another seed others', () => {
  assert.deepEqual(manyTraces(20, 5), manyTraces(20, 5));
  assert.notDeepEqual(manyTraces(20, 5), manyTraces(20, 6));
});

test('the traffic touches all ten services', () => {
  const services = new Set(manyTraces(300).flatMap((spans) => spans.map((span) => span.service)));
  assert.equal(services.size, 10);
});

const STATUS = 'http.response.status_code';

function manyTraces(count = 200, seed = 1): readonly (readonly Span[])[] {
  const random = new Random(seed);
  const pods = startPods(random);
  return Array.from({ length: count }, () =>
    makeTrace(random, pods, pickScenario(random), END_UNIX_NANOS),
  );
}

function play(name: string): readonly Span[] {
  const random = new Random(7);
  const scenario = SCENARIOS.find((known) => known.name === name);
  assert.ok(scenario, `no scenario "${name}"`);
  return makeTrace(random, startPods(random), scenario, END_UNIX_NANOS);
}

function withParents(spans: readonly Span[]): { span: Span; parent: Span }[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  return spans.flatMap((span) => {
    const parent = byId.get(span.parentSpanId);
    return parent === undefined ? [] : [{ span, parent }];
  });
}

function endOf(span: Span): bigint {
  return span.startUnixNanos + span.durationNanos;
}

function attribute(span: Span, key: string): unknown {
  const value = span.attributes.find((known) => known.key === key)?.value;
  return value?.type === 'empty' ? undefined : value?.value;
}
