import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Span } from '../../../model/span.ts';
import { OTHER_TENANT, startTestService, type TestService } from '../../testing/service.ts';
import { attributesOf, MINUTE, NOON, spanOf, traceId } from '../../testing/spans.ts';

const MILLI = 1_000_000n;
const TRACES = 30;

let service: TestService;
before(async () => {
  service = await startTestService();
  const traces = Array.from({ length: TRACES }, (_, n) => checkout(n, 'shop', 'stock'));
  await service.insert(traces.flat());
  // Sent again: counted once.
  await service.insert(traces[3]!);
  await service.insert([spanOf({ traceId: traceId(900), service: 'cron', kind: 1, name: 'tick' })]);
  // Another's, under the same ids and the same name of the first service.
  await service.insert(
    Array.from({ length: 5 }, (_, n) => checkout(n, 'shop', 'secret')).flat(),
    OTHER_TENANT,
  );
});
after(() => service.stop());

/** 100 ms: 20 ms of `first`, a call of 80 ms of which the server has 40 + n, after 10 ms. */
function checkout(n: number, first: string, second: string): Span[] {
  const start = NOON - BigInt(n) * MINUTE;
  const id = (role: number): string =>
    (BigInt(n) * 16n + BigInt(role)).toString(16).padStart(16, '0');
  const common = { traceId: traceId(n), name: 'checkout' };
  return [
    spanOf({
      ...common,
      service: first,
      spanId: id(1),
      startUnixNanos: start,
      durationNanos: 100n * MILLI,
      attributes: attributesOf({ even: `${n % 2 === 0}` }),
    }),
    spanOf({
      ...common,
      service: first,
      spanId: id(2),
      parentSpanId: id(1),
      kind: 3,
      name: 'call',
      startUnixNanos: start + 5n * MILLI,
      durationNanos: 80n * MILLI,
    }),
    spanOf({
      ...common,
      service: second,
      spanId: id(3),
      parentSpanId: id(2),
      name: 'count',
      startUnixNanos: start + 15n * MILLI,
      durationNanos: BigInt(40 + n) * MILLI,
      statusCode: 2,
    }),
  ];
}

interface Row {
  readonly service?: string | null;
  readonly operation?: string;
  readonly kind?: string | null;
  readonly from?: string | null;
  readonly to?: string;
  readonly sumNanos: string;
  readonly meanMs: number;
  readonly share: number;
  readonly requestMeanMs?: number;
  readonly responseMeanMs?: number;
  readonly traces: number;
  readonly shareOfTraces: number;
  readonly spans: number;
  readonly errors: number;
  readonly selfMeanMs: number;
  readonly examples: Record<'largest' | 'median', { traceId: string; ms: number } | null>;
}

interface Answer {
  readonly cohort: Record<string, unknown>;
  readonly wall: Row & Record<'p50' | 'max', { traceId: string; ms: number }>;
  readonly services: readonly Row[];
  readonly operations: readonly Row[];
  readonly edges: readonly Row[];
  readonly gaps: readonly Row[];
  readonly unseen: Row;
  readonly rest: Record<string, Row>;
}

async function contributions(query: string, get = service.get): Promise<Answer> {
  const { status, text } = await get(`/api/x/contributions?${query}`);
  assert.equal(status, 200, text);
  return JSON.parse(text) as Answer;
}

const sum = (rows: readonly Row[]): bigint =>
  rows.reduce((total, row) => total + BigInt(row.sumNanos), 0n);

test('it says where the time went, exactly, with examples', async () => {
  const answer = await contributions('service=shop&operation=checkout');
  assert.deepEqual(answer.cohort, {
    service: 'shop',
    operation: 'checkout',
    startUnixNanos: `${NOON + 60n * MINUTE - 48n * 60n * MINUTE}`,
    endUnixNanos: `${NOON + 60n * MINUTE}`,
    order: 'newest',
    matched: TRACES,
    analysed: TRACES,
    sampled: false,
    tooLarge: 0,
    spans: 3 * TRACES,
    spansWithoutParent: 0,
    callsWithSkewedClocks: 0,
  });
  assert.equal(answer.wall.sumNanos, `${100n * MILLI * BigInt(TRACES)}`);
  assert.equal(answer.wall.meanMs, 100);
  assert.deepEqual(answer.wall.max.ms, 100);
  const [stock, shop] = answer.services;
  // 40 to 69 ms, 54.5 in the mean.
  assert.deepEqual([stock?.service, stock?.meanMs, stock?.share], ['stock', 54.5, 0.545]);
  assert.deepEqual([stock?.traces, stock?.shareOfTraces, stock?.errors], [TRACES, 1, TRACES]);
  assert.deepEqual(stock?.examples.largest, { traceId: traceId(29), ms: 69 });
  assert.equal(stock?.examples.median?.ms, 54);
  assert.deepEqual([shop?.service, shop?.meanMs, shop?.spans], ['shop', 20, 2 * TRACES]);
  // The call waits as long as the server does not run.
  assert.equal(shop?.selfMeanMs, 20 + 25.5);
  assert.deepEqual(
    answer.operations.map(({ service: of, operation, kind, meanMs }) => [
      of,
      operation,
      kind,
      meanMs,
    ]),
    [
      ['stock', 'count', 'server', 54.5],
      ['shop', 'checkout', 'server', 20],
      ['shop', 'call', 'client', 0],
    ],
  );
  assert.deepEqual(
    answer.edges.map(({ from, to, meanMs }) => [from, to, meanMs]),
    [
      ['shop', 'stock', 54.5],
      [null, 'shop', 20],
    ],
  );
  const [gap] = answer.gaps;
  assert.deepEqual(
    [gap?.from, gap?.to, gap?.meanMs, gap?.requestMeanMs, gap?.responseMeanMs],
    ['shop', 'stock', 25.5, 10, 15.5],
  );
});

test('each breakdown adds up to the wall time with the gaps and what no span covers', async () => {
  const answer = await contributions('service=shop');
  const apart = sum(answer.gaps) + BigInt(answer.unseen.sumNanos);
  for (const rows of [answer.services, answer.operations, answer.edges]) {
    assert.equal(sum(rows) + apart, BigInt(answer.wall.sumNanos));
  }
});

test('a tenant sees its own traces, though others have the same ids and names', async () => {
  const own = await contributions('service=shop');
  assert.deepEqual(
    own.services.map((row) => row.service),
    ['stock', 'shop'],
  );
  const other = await contributions('service=shop', service.other.get);
  assert.deepEqual(
    other.services.map((row) => row.service),
    ['secret', 'shop'],
  );
  assert.equal(other.cohort['analysed'], 5);
  // Nothing in a request says whose spans are meant.
  const { text } = await service.get('/api/x/contributions?service=shop&tenant=other', {
    headers: { 'x-tenant': OTHER_TENANT, 'x-scope-orgid': OTHER_TENANT },
  });
  assert.ok(!text.includes('secret'));
});

test('any filter of a search chooses the traces, and with a limit the newest of them', async () => {
  const even = await contributions(`service=shop&tags=${encodeURIComponent('{"even":"true"}')}`);
  assert.deepEqual([even.cohort['matched'], even.cohort['analysed']], [15, 15]);
  assert.equal(even.services[0]?.meanMs, 54);
  const slow = await contributions('service=stock&operation=count&minDuration=60ms');
  assert.equal(slow.cohort['matched'], 10);
  const newest = await contributions('service=shop&limit=3');
  const { matched, analysed, sampled } = newest.cohort;
  assert.deepEqual([matched, analysed, sampled], [TRACES, 3, true]);
  assert.equal(newest.services[0]?.meanMs, 41);
  const none = await contributions('service=nobody');
  assert.deepEqual([none.cohort['analysed'], none.wall.meanMs, none.services], [0, 0, []]);
});

for (const [query, message] of [
  ['', /'service' is required/],
  ['service=shop&limit=0', /'limit' should be a number from 1 to 20000, received "0"/],
  ['service=shop&limit=-1', /'limit' should be a number from 1 to 20000, received "-1"/],
  ['service=shop&limit=1000000000', /'limit' should be a number from 1 to 20000/],
  ['service=shop&limit=1%20OR%201', /received "1 OR 1"/],
  ['service=shop&start=x', /'start'.*invalid syntax/],
  ['service=shop&start=2&end=1', /'start' should be before 'end'/],
  ['service=shop&minDuration=2s&maxDuration=1s', /'maxDuration' should be greater/],
  ['service=shop&minDuration=fast', /'minDuration'/],
  ['service=shop&tags={', /malformed 'tags'/],
  ['service=shop&order=random', /order/],
  ['service=shop&traceID=1234', /'traceID' is not taken here/],
  ['service=shop&cursor=1', /'cursor' is not taken here/],
] as const) {
  test(`a bad question is told what is wrong: ${query || 'nothing'}`, async () => {
    const { status, text, headers } = await service.get(`/api/x/contributions?${query}`);
    assert.equal(status, 400);
    assert.match(headers.get('content-type') ?? '', /^application\/json/);
    const { error } = JSON.parse(text) as { error: { status: number; message: string } };
    assert.equal(error.status, 400);
    assert.match(error.message, message);
  });
}

test('SQL in a field is a name that nobody has', async () => {
  const sql = encodeURIComponent("'; DROP TABLE spans; --");
  const answer = await contributions(`service=${sql}&operation=${sql}`);
  assert.equal(answer.cohort['analysed'], 0);
  assert.equal((await contributions('service=cron')).cohort['analysed'], 1);
});
