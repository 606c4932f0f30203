import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Span } from '../../../model/span.ts';
import { OTHER_TENANT, startTestService, type TestService } from '../../testing/service.ts';
import { NOON, SECOND, spanOf, traceId } from '../../testing/spans.ts';

let service: TestService;
before(async () => {
  service = await startTestService();
  await service.insert(SPANS);
  await service.insert([spanOf({ traceId: traceId(1) })], OTHER_TENANT);
});
after(() => service.stop());

const id = (n: number): string => n.toString(16).padStart(16, '0');

const SPANS: readonly Span[] = [
  spanOf({ traceId: traceId(1), spanId: id(1) }),
  // Its parent is missing, and it does not say what it is.
  spanOf({ traceId: traceId(1), spanId: id(2), parentSpanId: id(99), kind: 0 }),
  // Before its parent, and over before it began.
  spanOf({
    traceId: traceId(1),
    spanId: id(3),
    parentSpanId: id(1),
    kind: 3,
    startUnixNanos: NOON - SECOND,
    durationNanos: -1n,
  }),
  // Shares the id with the client, as Zipkin's do; not a span of the service.
  spanOf({ traceId: traceId(1), spanId: id(3), parentSpanId: id(1), service: 'bank' }),
  // Two with one id.
  spanOf({ traceId: traceId(2), spanId: id(4), name: 'a' }),
  spanOf({ traceId: traceId(2), spanId: id(4), name: 'b' }),
];

interface Quality {
  readonly scores: readonly { key: string; max: number; value: number }[];
  readonly metrics: readonly {
    name: string;
    passCount: number;
    failureCount: number;
    exemptionCount: number;
    failureExamples: readonly { traceID: string; spanIDs: readonly string[] }[];
  }[];
}

const ask = async (query: string, from: Pick<TestService, 'get'> = service): Promise<Quality> => {
  const answer = await from.get(`/api/quality-metrics?${query}`);
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text) as Quality;
};

const countsOf = (quality: Quality): Record<string, readonly number[]> =>
  Object.fromEntries(
    quality.metrics.map((one) => [one.name, [one.passCount, one.failureCount, one.exemptionCount]]),
  );

test('each rule is counted over the spans of the service, however often they were sent', async () => {
  const expected = {
    ParentIsThere: [1, 1, 3],
    IdIsUnique: [2, 2, 1],
    EndsAfterStart: [4, 1, 0],
    KindIsKnown: [4, 1, 0],
    StartsAfterParent: [0, 1, 4],
  };
  const quality = await ask('hours=48&service=shop');
  assert.deepEqual(countsOf(quality), expected);
  const [orphans] = quality.metrics;
  assert.deepEqual(orphans?.failureExamples, [{ spanIDs: [id(2)], traceID: traceId(1) }]);
  // (1/2 + 2/4 + 4/5 + 4/5 + 0) / 5
  assert.deepEqual(quality.scores[0], { key: 'quality', label: 'Quality', max: 100, value: 52 });
  await service.insert(SPANS);
  assert.deepEqual(countsOf(await ask('service=shop')), expected);
});

test('another tenant’s spans do not count, and no spans are no fault', async () => {
  const theirs = await ask('service=shop', service.other);
  assert.deepEqual(countsOf(theirs)['ParentIsThere'], [0, 0, 1]);
  const nobody = await ask('service=nobody&hours=1');
  assert.equal(nobody.scores[0]?.value, 100);
  assert.deepEqual(countsOf(nobody)['EndsAfterStart'], [0, 0, 0]);
});

test('bad questions get a 400', async () => {
  for (const bad of [
    '',
    'service=',
    'service=a&hours=0',
    'service=a&hours=-1',
    'service=a&hours=x',
  ]) {
    const answer = await service.get(`/api/quality-metrics?${bad}`);
    assert.equal(answer.status, 400, bad);
    assert.match(answer.json().errors?.[0]?.msg ?? '', /'service' is required|'hours' should be/);
  }
  assert.equal((await service.get('/api/quality-metrics?service=a&hours=1000000000')).status, 400);
});
