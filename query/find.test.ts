import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Span } from '../model/span.ts';
import type { Cursor } from './cursor.ts';
import { countTraces, type FindQuery, findTraces } from './find.ts';
import { listOperations, listServices } from './lists.ts';
import { openTestEngine, type TestEngine } from './testing/engine.ts';
import { attributesOf, HOUR, MINUTE, NOON, SECOND, spanOf, traceId } from './testing/spans.ts';

let engine: TestEngine;
before(() => {
  engine = openTestEngine();
});
after(() => engine.close());

// Each test has a tenant of its own, so what others inserted is never in its answers.
let tenants = 0;
let tenant: string;
beforeEach(() => {
  tenant = `tenant${tenants++}`;
});

function insert(...spans: Span[]): void {
  engine.insert(spans, tenant);
}

function queryOf(parts: Partial<FindQuery>): FindQuery {
  return {
    tenant,
    startUnixNanos: NOON - 48n * HOUR,
    endUnixNanos: NOON + HOUR,
    service: 'shop',
    tags: [],
    order: 'newest',
    limit: 20,
    ...parts,
  };
}

async function find(parts: Partial<FindQuery> = {}): Promise<string[]> {
  const found = await findTraces(engine.select, queryOf(parts));
  return found.map((trace) => trace.traceId);
}

/** All traces, so many a page. */
async function findPages(parts: Partial<FindQuery>): Promise<string[]> {
  const all: string[] = [];
  let after: Cursor | undefined;
  for (;;) {
    const query = queryOf({ ...parts, ...(after === undefined ? {} : { after }) });
    const page = await findTraces(engine.select, query);
    all.push(...page.map((trace) => trace.traceId));
    after = page.at(-1);
    if (after === undefined || page.length < query.limit) return all;
  }
}

/** A trace of one span, so many minutes before noon. */
function at(n: number, minutesBefore: number, parts: Partial<Span> = {}): Span {
  const startUnixNanos = NOON - BigInt(minutesBefore) * MINUTE;
  return spanOf({ traceId: traceId(n), startUnixNanos, ...parts });
}

test('the newest traces come first, across all slices of the window', async () => {
  insert(at(1, 2000), at(2, 1), at(3, 500), at(4, 70), at(5, 16), at(6, 14), at(7, 2800));
  const all = [2, 6, 5, 4, 3, 1, 7].map(traceId);
  assert.deepEqual(await find(), all);
  assert.deepEqual(await find({ limit: 3 }), all.slice(0, 3));
  assert.deepEqual(await find({ order: 'oldest' }), all.toReversed());
});

test('a cohort of hundreds is found in the same order as a page', async () => {
  insert(...Array.from({ length: 450 }, (_, n) => at(n, n % 40)));
  const all = await find({ limit: 1000 });
  assert.equal(new Set(all).size, 450);
  assert.deepEqual(await find({ limit: 30 }), all.slice(0, 30));
});

test('a trace counts once, at its newest matching span', async () => {
  insert(at(1, 1), at(1, 30), at(1, 900), at(2, 10), at(3, 600));
  assert.deepEqual(await find({ limit: 2 }), [traceId(1), traceId(2)]);
  assert.deepEqual(await find(), [traceId(1), traceId(2), traceId(3)]);
});

test('a trace with thousands of spans does not push others out of the answer', async () => {
  const large = Array.from({ length: 3000 }, (_, i) =>
    spanOf({ traceId: traceId(1), startUnixNanos: NOON - BigInt(i) }),
  );
  insert(...large, at(2, 1), at(3, 2));
  assert.deepEqual(await find({ limit: 3 }), [traceId(1), traceId(2), traceId(3)]);
});

test('spans that were sent twice change nothing', async () => {
  const spans = [at(1, 3), at(2, 2), at(3, 1)];
  insert(...spans);
  insert(...spans);
  assert.deepEqual(await find({ limit: 2 }), [traceId(3), traceId(2)]);
  assert.deepEqual(await find(), [traceId(3), traceId(2), traceId(1)]);
});

test('equal times are ordered by trace id, in either table', async () => {
  const attributes = attributesOf({ k: 'v' });
  insert(...[5, 3, 9, 1].map((n) => at(n, 1, { attributes })));
  const sorted = [1, 3, 5, 9].map(traceId);
  assert.deepEqual(await find(), sorted);
  assert.deepEqual(await find({ tags: [{ key: 'k', text: 'v' }], limit: 3 }), sorted.slice(0, 3));
});

test('the window holds the spans that start at its edges, and none beyond', async () => {
  const window = { startUnixNanos: NOON, endUnixNanos: NOON + MINUTE };
  const times = [-1n, 0n, MINUTE, MINUTE + 1n];
  insert(...times.map((nanos, n) => spanOf({ traceId: traceId(n), startUnixNanos: NOON + nanos })));
  assert.deepEqual(await find(window), [traceId(2), traceId(1)]);
  const instant = { startUnixNanos: NOON, endUnixNanos: NOON };
  assert.deepEqual(await find(instant), [traceId(1)], 'a window of one nanosecond');
  assert.deepEqual(await find({ startUnixNanos: NOON + 1n, endUnixNanos: NOON }), []);
});

test('service, operation and duration are of one span', async () => {
  insert(
    at(1, 1, { name: 'a', durationNanos: 5n * SECOND }),
    at(2, 2, { name: 'a', durationNanos: SECOND }),
    at(2, 2, { name: 'b', durationNanos: 5n * SECOND }),
    at(3, 3, { name: 'a', durationNanos: 5n * SECOND, service: 'other' }),
    at(4, 4, { name: 'a', durationNanos: 9n * SECOND }),
  );
  assert.deepEqual(await find({ operation: 'a' }), [1, 2, 4].map(traceId));
  const long = { operation: 'a', durationNanosMin: 5n * SECOND };
  assert.deepEqual(await find(long), [traceId(1), traceId(4)], 'bounds are inclusive');
  assert.deepEqual(await find({ ...long, durationNanosMax: 5n * SECOND }), [traceId(1)]);
});

test('the slowest traces come first when asked for', async () => {
  insert(
    at(1, 1, { durationNanos: 1n }),
    at(2, 900, { durationNanos: 7n * SECOND }),
    at(3, 5, { durationNanos: 3n }),
    at(3, 5, { durationNanos: 2n * SECOND }),
  );
  assert.deepEqual(await find({ order: 'slowest' }), [2, 3, 1].map(traceId));
  assert.deepEqual(await find({ order: 'slowest', limit: 1 }), [traceId(2)]);
});

test('traces that share the low half of their id are told apart', async () => {
  const low = '00000000000000ff';
  const ids = ['1', '2', '0'].map((high) => high.padStart(16, '0') + low);
  insert(
    at(0, 1, { traceId: ids[0]! }),
    at(0, 400, { traceId: ids[1]! }),
    at(0, 2, { traceId: ids[2]!, service: 'other' }),
    at(7, 30),
  );
  assert.deepEqual(await find(), [ids[0], traceId(7), ids[1]]);
  assert.deepEqual(await find({ limit: 2 }), [ids[0], traceId(7)]);
});

test('nobody sees the traces, services and operations of another tenant', async () => {
  insert(at(1, 1));
  const own = tenant;
  tenant = 'stranger';
  assert.deepEqual(await find(), []);
  assert.deepEqual(await find({ tags: [{ key: 'service.name', text: 'shop' }] }), []);
  assert.deepEqual(await listServices(engine.select, tenant), []);
  assert.deepEqual(await listOperations(engine.select, tenant, { service: 'shop' }), []);
  assert.deepEqual(await listServices(engine.select, own), ['shop']);
});

test('services and operations are listed once each, sorted', async () => {
  insert(at(1, 1, { name: 'b' }), at(2, 2, { name: 'a', kind: 3 }), at(3, 3, { service: 'cart' }));
  insert(at(4, 4, { name: 'b' }), at(5, 5, { name: 'b', kind: 3 }));
  assert.deepEqual(await listServices(engine.select, tenant), ['cart', 'shop']);
  assert.deepEqual(await listOperations(engine.select, tenant, { service: 'shop' }), [
    { name: 'a', kind: 3 },
    { name: 'b', kind: 2 },
    { name: 'b', kind: 3 },
  ]);
  assert.deepEqual(await listOperations(engine.select, tenant, { service: 'shop', kind: 2 }), [
    { name: 'b', kind: 2 },
  ]);
});

test('a search without a service looks at all of them', async () => {
  insert(at(1, 1, { service: 'a' }), at(2, 2, { service: 'b' }));
  const everywhere: FindQuery = {
    tenant,
    startUnixNanos: NOON - HOUR,
    endUnixNanos: NOON,
    tags: [],
    order: 'newest',
    limit: 20,
  };
  const found = await findTraces(engine.select, everywhere);
  assert.deepEqual(
    found.map((trace) => trace.value),
    [NOON - MINUTE, NOON - 2n * MINUTE],
  );
});

test('page by page, every trace is there once, in the order of one long answer', async () => {
  const random = seeded(7);
  const spans: Span[] = [];
  for (let i = 0; i < 240; i++) {
    // Few times and durations, so that many are equal; several spans a trace, so that most traces
    // have matching spans on both sides of a cursor.
    const n = Math.floor(random() * 60);
    const minute = Math.floor(random() * 12) ** 2 * 15;
    const durationNanos = BigInt(Math.floor(random() * 5)) * SECOND;
    const attributes = random() < 0.5 ? attributesOf({ k: 'v' }) : [];
    spans.push(at(n, minute, { durationNanos, attributes }));
  }
  // These share their low half with others.
  for (let n = 0; n < 9; n++) {
    spans.push(at(n, n * 40, { traceId: `00000000000000${n}${traceId(n).slice(15)}` }));
  }
  insert(...spans);
  const tags = [{ key: 'k', text: 'v' }];
  for (const order of ['newest', 'oldest', 'slowest'] as const) {
    for (const filter of [{}, { tags }, { durationNanosMin: 2n * SECOND }]) {
      const whole = await find({ ...filter, order, limit: 1000 });
      assert.ok(whole.length > 30, `${whole.length} traces of ${order}`);
      assert.deepEqual(await findPages({ ...filter, order, limit: 9 }), whole, order);
    }
  }
});

test('the count is of all traces in the window, whatever the page', async () => {
  insert(at(1, 1), at(1, 900), at(2, 3), at(3, 5, { attributes: attributesOf({ k: 'v' }) }));
  const count = (parts: Partial<FindQuery>): Promise<number> =>
    countTraces(engine.select, queryOf(parts));
  const after = { value: NOON - 2n * MINUTE, traceId: traceId(1) };
  assert.equal(await count({ limit: 1, after }), 3);
  assert.equal(await count({ tags: [{ key: 'k', text: 'v' }] }), 1);
  assert.equal(await count({ startUnixNanos: NOON - 4n * MINUTE }), 2);
  assert.equal(await count({ service: 'other' }), 0);
  assert.equal(await count({ startUnixNanos: NOON, endUnixNanos: NOON - 1n }), 0);
});

test('a page can be one trace, though each has spans on both sides of it', async () => {
  insert(at(1, 1), at(2, 1), at(3, 1), at(1, 5), at(2, 40), at(3, 2000), at(4, 40));
  assert.deepEqual(await findPages({ limit: 1 }), [1, 2, 3, 4].map(traceId));
  assert.deepEqual(await findPages({ limit: 1, order: 'oldest' }), [3, 2, 4, 1].map(traceId));
});

test('a cursor at the end of all times has all traces behind it, or none', async () => {
  insert(at(1, 1), at(2, 2));
  const newest = { value: 2n ** 63n - 1n, traceId: traceId(9) };
  const oldest = { value: -(2n ** 63n), traceId: traceId(9) };
  assert.deepEqual(await find({ after: newest }), [1, 2].map(traceId));
  assert.deepEqual(await find({ after: oldest, order: 'oldest' }), [2, 1].map(traceId));
  assert.deepEqual(await find({ after: oldest }), []);
  assert.deepEqual(await find({ after: newest, order: 'oldest' }), []);
});

/** A small generator of numbers in [0, 1), the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
