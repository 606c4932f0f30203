// What an operator can set of Zipkin's API, and what a Zipkin server has on its own port.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { V2Span } from '../../../model/codec/zipkin/v1_span.ts';
import { silentLog } from '../../../service/log.ts';
import { Metrics } from '../../../service/metrics.ts';
import { type QueryListeners, startQuery } from '../../server.ts';
import { startTestService, type TestService } from '../../testing/service.ts';
import {
  attributesOf,
  MINUTE,
  NOON,
  resourceOf,
  SECOND,
  spanOf,
  traceId,
} from '../../testing/spans.ts';

let service: TestService;
let query: QueryListeners;
const metrics = new Metrics();
before(async () => {
  service = await startTestService();
  const at = (setting: string) => ({ host: '127.0.0.1', port: 0, setting });
  query = await startQuery({
    access: service.access,
    listen: at('listen.query'),
    zipkinListen: at('listen.zipkin_query'),
    zipkin: {
      ...{ strictTraceId: false, autocompleteKeys: ['zone', 'n'], lookbackMs: 600_000 },
      candidatesMax: 40,
    },
    version: '1.2.3',
    log: silentLog,
    metrics,
    clock: {
      nowMs: () => Number(NOON / 1_000_000n),
      monotonicMs: () => performance.now(),
      sleep: () => Promise.resolve(),
    },
  });
});
after(async () => {
  await query.stop(1000);
  await service.stop();
});

const get = (path: string) => fetch(`http://127.0.0.1:${query.zipkin?.port}${path}`);
const ask = async (path: string) => JSON.parse(await (await get(path)).text());

test('without strict ids, both halves of a trace are one', async () => {
  const [short, long] = [`${'0'.repeat(16)}00000000000000ab`, `${'1'.repeat(16)}00000000000000ab`];
  const parts = { service: 'mixed', startUnixNanos: NOON - MINUTE };
  await service.insert([
    spanOf({ ...parts, traceId: short, name: 'short', attributes: attributesOf({ a: 'x' }) }),
    spanOf({ ...parts, traceId: long, name: 'long', attributes: attributesOf({ b: 'y' }) }),
    spanOf({ ...parts, traceId: traceId(2), name: 'other' }),
  ]);
  await service.insert([spanOf({ ...parts, traceId: long, name: 'theirs' })], 'other');
  const names = (spans: readonly V2Span[]) => spans.map((span) => span.name).sort();
  for (const id of ['ab', short, long, `${'2'.repeat(16)}00000000000000ab`]) {
    assert.deepEqual(names(await ask(`/api/v2/trace/${id}`)), ['long', 'short'], id);
  }
  const found = async (filter: string) =>
    ((await ask(`/api/v2/traces?serviceName=mixed${filter}`)) as V2Span[][]).map(names);
  const both = ['long', 'short'];
  assert.deepEqual((await found('')).sort(), [both, ['other']]);
  assert.deepEqual(await found('&annotationQuery=a%3Dx%20and%20b%3Dy'), [both]);
  assert.deepEqual(await found('&spanName=long&annotationQuery=a'), [both]);
  const many = (await ask(`/api/v2/traceMany?traceIds=ab,${traceId(2)}`)) as V2Span[][];
  assert.deepEqual(many.map(names), [both, ['other']]);
  // Strict, as it is unless set otherwise.
  const strict = await service.get(`/zipkin/api/v2/trace/${long}`);
  assert.deepEqual(names(JSON.parse(strict.text)), ['long']);
});

test('a search that does not say how far looks as far as is set', async () => {
  const at = (n: number, minutes: bigint) =>
    spanOf({ traceId: traceId(n), service: 'window', startUnixNanos: NOON - minutes * MINUTE });
  await service.insert([at(10, 9n), at(11, 11n)]);
  const found = (await ask('/api/v2/traces?serviceName=window')) as V2Span[][];
  assert.deepEqual(
    found.map(([span]) => span?.traceId),
    [traceId(10)],
  );
});

const idsOf = (text: string) => (JSON.parse(text) as V2Span[][]).map(([span]) => span?.traceId);

test('what is common, but never together, is looked for among so many traces only', async () => {
  const at = (i: number) => NOON - BigInt(i) * SECOND;
  await service.insert(
    Array.from({ length: 300 }, (_, i) =>
      spanOf({
        ...{ traceId: traceId(1000 + i), service: 'common', startUnixNanos: at(i) },
        attributes: attributesOf(i % 2 === 0 ? { even: 'x' } : { odd: 'x' }),
      }),
    ),
  );
  const path = '/api/v2/traces?serviceName=common&limit=5&annotationQuery=';
  const refused = await get(`${path}even%3Dx%20and%20odd%3Dx`);
  assert.equal(refused.status, 413);
  assert.match(
    await refused.text(),
    /^Too few of the newest traces meet all.*narrow the time window/,
  );
  // Both on one trace, behind 10 others: found, and the rare one of two needs no pages at all.
  await service.insert([
    ...[{ even: 'x' }, { odd: 'x' }, { rare: 'x' }].map((values) =>
      spanOf({
        ...{ traceId: traceId(2000), service: 'common', startUnixNanos: at(20) },
        attributes: attributesOf(values),
      }),
    ),
  ]);
  const some = await get(`${path}even%3Dx%20and%20odd%3Dx`);
  assert.deepEqual(idsOf(await some.text()), [traceId(2000)]);
  assert.match(some.headers.get('warning') ?? '', /^199 spanhouse "Too few/);
  const rare = await get(`${path}even%3Dx%20and%20rare%3Dx`);
  assert.deepEqual(idsOf(await rare.text()), [traceId(2000)]);
  assert.equal(rare.headers.get('warning'), null);
  assert.deepEqual(await ask(`${path}even%3Dx%20and%20nobody%3Dx`), []);
});

test('values of the tags that are set are offered, of spans and of resources', async () => {
  const parts = { traceId: traceId(20), startUnixNanos: NOON - MINUTE };
  await service.insert([
    spanOf({ ...parts, attributes: attributesOf({ zone: 'b' }) }),
    spanOf({ ...parts, attributes: attributesOf({ zone: 'a', secret: 's' }) }),
    spanOf({ ...parts, resource: resourceOf('shop', { zone: 'c' }) }),
    spanOf({
      ...parts,
      startUnixNanos: NOON - 90n * MINUTE,
      attributes: attributesOf({ zone: 'old' }),
    }),
  ]);
  await service.insert(
    [spanOf({ ...parts, attributes: attributesOf({ zone: 'theirs' }) })],
    'other',
  );
  assert.deepEqual(await ask('/api/v2/autocompleteKeys'), ['zone', 'n']);
  assert.deepEqual(await ask('/api/v2/autocompleteValues?key=zone'), ['a', 'b', 'c']);
  assert.deepEqual(await ask('/api/v2/autocompleteValues?key=secret'), []);
});

test('health, version, metrics and settings are where a Zipkin server has them', async () => {
  for (const prefix of ['', '/actuator']) {
    const health = await get(`${prefix}/health`);
    assert.equal(health.status, 200);
    assert.equal(((await health.json()) as { status: string }).status, 'UP');
    assert.deepEqual(await ask(`${prefix}/info`), { zipkin: { version: 'spanhouse 1.2.3' } });
    assert.match(await (await get(`${prefix}/prometheus`)).text(), /spanhouse_query_request/);
  }
  const config = await get('/zipkin/config.json');
  assert.equal(config.headers.get('cache-control'), 'max-age=600');
  assert.equal(((await config.json()) as { defaultLookback: number }).defaultLookback, 600_000);
  for (const path of ['/', '/zipkin/', '/api/v2/nothing', '/api/services']) {
    assert.equal((await get(path)).status, 404, path);
  }
  assert.equal((await fetch(`http://127.0.0.1:${query.port}/health`)).status, 404);
});

test('counters have the names that a Zipkin server gives them', async () => {
  const requests = metrics.counter('spanhouse_requests_total', 'x', ['receiver', 'outcome']);
  const spans = metrics.counter('spanhouse_spans_received_total', 'x', ['receiver']);
  requests.add({ receiver: 'zipkin_http', outcome: 'ok' }, 3);
  requests.add({ receiver: 'zipkin_http', outcome: 'malformed' }, 2);
  requests.add({ receiver: 'otlp_http', outcome: 'ok' }, 9);
  spans.add({ receiver: 'zipkin_grpc' }, 7);
  assert.deepEqual(await ask('/metrics'), {
    'counter.zipkin_collector.messages.http': 5,
    'counter.zipkin_collector.messages_dropped.http': 2,
    'counter.zipkin_collector.bytes.http': 0,
    'counter.zipkin_collector.spans.http': 0,
    'counter.zipkin_collector.messages.grpc': 0,
    'counter.zipkin_collector.messages_dropped.grpc': 0,
    'counter.zipkin_collector.bytes.grpc': 0,
    'counter.zipkin_collector.spans.grpc': 7,
  });
});
