// storage/clickhouse/skeletons.ts against the engine: it stands here, as the test engine does.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readSkeletons, type SkeletonPart } from '../storage/clickhouse/skeletons.ts';
import { hex16, type TraceKey } from '../storage/clickhouse/statement.ts';
import { traceKeyOf } from './get.ts';
import { openTestEngine, type TestEngine } from './testing/engine.ts';
import { HOUR, NOON, SECOND, spanOf, traceId } from './testing/spans.ts';

const DAY_NANOS = 86_400n * SECOND;
const TODAY = Number(NOON / DAY_NANOS);
const days = { first: TODAY - 1, last: TODAY + 1 };
const key = (n: number): TraceKey => traceKeyOf(traceId(n))!;

let engine: TestEngine;
before(() => {
  engine = openTestEngine();
  const root = spanOf({ traceId: traceId(1), spanId: '00000000000000a1', name: 'GET /' });
  const child = spanOf({
    traceId: traceId(1),
    spanId: 'ffffffffffffffff',
    parentSpanId: '00000000000000a1',
    service: 'stock',
    name: 'count',
    kind: 3,
    statusCode: 2,
    startUnixNanos: NOON + 5n,
    durationNanos: 7n,
  });
  const late = spanOf({
    traceId: traceId(1),
    spanId: '00000000000000a3',
    startUnixNanos: NOON + 3n * HOUR,
  });
  engine.insert([root, child]);
  engine.insert([child, late]);
  engine.insert([spanOf({ traceId: traceId(1), service: 'secret' })], 'other');
  engine.insert([
    spanOf({ traceId: traceId(2), startUnixNanos: NOON - 5n * DAY_NANOS }),
    spanOf({ traceId: traceId(2) }),
  ]);
  for (let n = 10; n < 20; n++) {
    engine.insert([
      spanOf({ traceId: traceId(n), name: `op${n}` }),
      spanOf({ traceId: traceId(n) }),
    ]);
  }
});
after(() => engine.close());

async function read(keys: readonly TraceKey[], more: { rowsMax?: number } = {}) {
  const parts: SkeletonPart[] = [];
  const question = { tenant: 'default', keys, days, ...more };
  for await (const part of readSkeletons(engine.select, question)) parts.push(part);
  return parts;
}

test('every span of a trace is there once, whatever the hour and however often it was sent', async () => {
  const [part, ...more] = await read([key(1)]);
  assert.equal(more.length, 0);
  const { rows, texts, ends } = part!;
  assert.deepEqual([...ends], [3]);
  const shown = Array.from({ length: 3 }, (_, i) => [
    hex16(rows.spanId[i]!),
    hex16(rows.parentId[i]!),
    rows.startUnixNanos[i]! - NOON,
    rows.durationNanos[i],
    texts.at(rows.service[i]!),
    texts.at(rows.name[i]!),
    rows.kind[i],
    rows.status[i],
  ]);
  assert.deepEqual(shown, [
    ['00000000000000a1', hex16(0n), 0n, 1_000_000n, 'shop', 'GET /', 2, 0],
    ['ffffffffffffffff', '00000000000000a1', 5n, 7n, 'stock', 'count', 3, 2],
    ['00000000000000a3', hex16(0n), 3n * HOUR, 1_000_000n, 'shop', 'GET /cart', 2, 0],
  ]);
});

test('traces keep the order asked for, unknown ones are empty, one asked for twice is read once', async () => {
  const [part] = await read([key(12), key(999), key(11), key(12)]);
  assert.deepEqual([...part!.ends], [2, 2, 4]);
  const names = [0, 2].map((row) => [0, 1].map((i) => part!.texts.at(part!.rows.name[row + i]!)));
  assert.deepEqual(
    names.map((pair) => pair.sort()),
    [
      ['GET /cart', 'op12'],
      ['GET /cart', 'op11'],
    ],
  );
});

test('spans of days that were not asked for are left out', async () => {
  const [part] = await read([key(2)]);
  assert.deepEqual([...part!.ends], [1]);
});

test('what is too much for one statement is asked for in parts, and one trace alone is cut', async () => {
  const keys = Array.from({ length: 10 }, (_, n) => key(10 + n));
  const parts = await read(keys, { rowsMax: 8 });
  assert.ok(parts.length > 2 && parts.length < 10, `${parts.length} parts`);
  assert.ok(parts.every((part) => !part.cut));
  assert.deepEqual(
    parts.flatMap((part) => [...part.traceLow]),
    keys.map((one) => one.low),
  );
  assert.equal(new Set(parts.map((part) => part.texts)).size, 1);
  const [cut] = await read([key(1)], { rowsMax: 2 });
  assert.deepEqual([cut!.cut, [...cut!.ends]], [true, [2]]);
});

test('ten thousand ids fit into one statement, and 10,001 make two', async () => {
  engine.takeStatements();
  const many = Array.from({ length: 10_001 }, (_, n) => key(100_000 + n));
  const parts = await read(many);
  assert.equal(engine.takeStatements().length, 2);
  assert.deepEqual(
    parts.map((part) => part.ends.length),
    [10_000, 1],
  );
});
