import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Span } from '../model/span.ts';
import { findTraces } from './find.ts';
import { openTestEngine, type TestEngine } from './testing/engine.ts';
import {
  attributesOf,
  eventOf,
  HOUR,
  linkOf,
  MINUTE,
  NOON,
  resourceOf,
  scopeOf,
  spanOf,
  traceId,
} from './testing/spans.ts';

let engine: TestEngine;
before(() => {
  engine = openTestEngine();
});
after(() => engine.close());

let tenants = 0;
let tenant: string;
beforeEach(() => {
  tenant = `tenant${tenants++}`;
});

/** Inserts each span as a trace of its own, numbered from 1, later ones older. */
function insertTraces(...parts: Partial<Span>[]): void {
  const spans = parts.map((part, i) =>
    spanOf({ traceId: traceId(i + 1), startUnixNanos: NOON - BigInt(i) * MINUTE, ...part }),
  );
  engine.insert(spans, tenant);
}

/** Numbers of the traces found. */
async function find(...tags: [string, string][]): Promise<number[]> {
  const found = await findTraces(engine.select, {
    tenant,
    startUnixNanos: NOON - 48n * HOUR,
    endUnixNanos: NOON + HOUR,
    service: 'shop',
    tags: tags.map(([key, text]) => ({ key, text })),
    order: 'newest',
    limit: 20,
  });
  return found.map((trace) => Number(BigInt(`0x${trace.traceId}`) & 0xffffn));
}

const withAttributes = (values: Record<string, unknown>): Partial<Span> => ({
  attributes: attributesOf(values),
});

test('a tag matches an attribute of any type by its text', async () => {
  insertTraces(
    withAttributes({ code: '500' }),
    withAttributes({ code: 500n }),
    withAttributes({ code: 500 }),
    withAttributes({ code: 501n }),
    withAttributes({ code: true }),
    withAttributes({ code: 'true' }),
    withAttributes({ code: false }),
    withAttributes({ code: 0.5 }),
    withAttributes({ other: '500' }),
  );
  assert.deepEqual(await find(['code', '500']), [1, 2, 3]);
  assert.deepEqual(await find(['code', 'true']), [5, 6]);
  assert.deepEqual(await find(['code', 'false']), [7]);
  assert.deepEqual(await find(['code', '0.5']), [8]);
  assert.deepEqual(await find(['code', '5e-1']), [8], 'doubles are compared by value');
  assert.deepEqual(await find(['code', '0500']), [3], 'and integers by text');
  assert.deepEqual(await find(['code', '50']), []);
  assert.deepEqual(await find(['cod', '500']), []);
});

test('the ends of the number types are found', async () => {
  insertTraces(
    withAttributes({ n: 2n ** 63n - 1n }),
    withAttributes({ n: -(2n ** 63n) }),
    withAttributes({ n: 0n }),
    withAttributes({ n: -0 }),
    withAttributes({ n: 1.7976931348623157e308 }),
  );
  assert.deepEqual(await find(['n', '9223372036854775807']), [1]);
  assert.deepEqual(await find(['n', '-9223372036854775808']), [2]);
  assert.deepEqual(await find(['n', '9223372036854775808']), []);
  assert.deepEqual(await find(['n', '0']), [3, 4]);
  assert.deepEqual(await find(['n', '1.7976931348623157e308']), [5]);
  assert.deepEqual(await find(['n', '1e999']), []);
});

test('two tags have to be of one span, not spread over two', async () => {
  const one = traceId(1);
  insertTraces(
    { traceId: one, ...withAttributes({ a: '1' }) },
    { traceId: one, ...withAttributes({ b: '2' }) },
    withAttributes({ a: '1', b: '2' }),
  );
  assert.deepEqual(await find(['a', '1'], ['b', '2']), [3]);
  assert.deepEqual(await find(['a', '1']), [1, 3]);
});

test('one search may find its tags on different levels of one span', async () => {
  insertTraces(
    {
      ...withAttributes({ onSpan: '1' }),
      events: [eventOf('done', { onEvent: '2' })],
      links: [linkOf(traceId(9), { onLink: '3' })],
      resource: resourceOf('shop', { onResource: '4' }),
      scope: scopeOf('lib', '1.0', { onScope: '5' }),
    },
    withAttributes({ onSpan: '1' }),
  );
  assert.deepEqual(await find(['onSpan', '1']), [1, 2]);
  for (const [key, text] of [
    ['onEvent', '2'],
    ['onLink', '3'],
    ['onResource', '4'],
    ['onScope', '5'],
    ['event', 'done'],
  ] as const) {
    assert.deepEqual(await find([key, text]), [1], key);
    assert.deepEqual(await find([key, `${text}x`]), [], key);
  }
  assert.deepEqual(
    await find(['onSpan', '1'], ['onEvent', '2'], ['onResource', '4'], ['onScope', '5']),
    [1],
  );
});

test('resource and scope attributes match by the text of any type', async () => {
  insertTraces(
    { resource: resourceOf('shop', { pid: 42n, ratio: 0.5, up: true }) },
    { scope: scopeOf('otel-lib', '2.1', { n: 7n }) },
  );
  assert.deepEqual(await find(['pid', '42']), [1]);
  assert.deepEqual(await find(['ratio', '0.5']), [1]);
  assert.deepEqual(await find(['up', 'true']), [1]);
  assert.deepEqual(await find(['n', '7']), [2]);
  assert.deepEqual(await find(['otel.scope.name', 'otel-lib']), [2]);
  assert.deepEqual(await find(['otel.scope.version', '2.1']), [2]);
  assert.deepEqual(await find(['service.name', 'shop']), [1, 2]);
});

test('event attributes that are integers or booleans match by text', async () => {
  insertTraces({ events: [eventOf('', { n: 5n, ok: false })] }, {});
  assert.deepEqual(await find(['n', '5']), [1]);
  assert.deepEqual(await find(['ok', 'false']), [1]);
});

test('error=true is a status of error, or an attribute that says so', async () => {
  insertTraces(
    { statusCode: 2 },
    withAttributes({ error: true }),
    withAttributes({ error: 'true' }),
    { statusCode: 1 },
    {},
    withAttributes({ error: false }),
    { resource: resourceOf('shop', { error: true }) },
    withAttributes({ error: 'timeout' }),
  );
  assert.deepEqual(await find(['error', 'true']), [1, 2, 3, 7]);
  assert.deepEqual(await find(['error', 'false']), [4, 5, 6, 8]);
  assert.deepEqual(await find(['error', 'timeout']), [8]);
});

test('the newest traces in error are the newest, however each of them says so', async () => {
  insertTraces(
    ...Array.from({ length: 60 }, (_, i): Partial<Span> => {
      if (i % 3 === 0) return { statusCode: 2, durationNanos: BigInt(i) };
      return i % 3 === 1 ? withAttributes({ error: true }) : {};
    }),
    { traceId: traceId(5), statusCode: 2, startUnixNanos: NOON + MINUTE },
  );
  const found = await find(['error', 'true']);
  const expected = Array.from({ length: 60 }, (_, i) => i + 1).filter((n) => n % 3 !== 0);
  assert.deepEqual(found, [5, ...expected.filter((n) => n !== 5)].slice(0, 20));
  const servers = await find(['error', 'true'], ['span.kind', 'server']);
  assert.deepEqual(servers, found, 'another narrow condition holds for both');
  assert.deepEqual(await find(['error', 'true'], ['span.kind', 'client']), []);
  assert.deepEqual(await find(['error', 'true'], ['error.kind', 'none']), []);
});

test('kind and status are searched by the names that Jaeger shows', async () => {
  insertTraces(
    { kind: 2 },
    { kind: 3, statusCode: 1 },
    { kind: 1, statusCode: 2, statusMessage: 'no seats' },
  );
  assert.deepEqual(await find(['span.kind', 'server']), [1]);
  assert.deepEqual(await find(['span.kind', 'client']), [2]);
  assert.deepEqual(await find(['span.kind', 'internal']), [3]);
  assert.deepEqual(await find(['span.kind', 'nonsense']), []);
  assert.deepEqual(await find(['otel.status_code', 'OK']), [2]);
  assert.deepEqual(await find(['otel.status_code', 'ERROR']), [3]);
  assert.deepEqual(await find(['otel.status_code', 'UNSET']), [1]);
  assert.deepEqual(await find(['otel.status_description', 'no seats']), [3]);
});

test('kind and status alone never touch the wide table', async () => {
  insertTraces({ kind: 3, statusCode: 2 });
  engine.takeStatements();
  assert.deepEqual(await find(['span.kind', 'client'], ['otel.status_code', 'ERROR']), [1]);
  for (const sql of engine.takeStatements()) assert.doesNotMatch(sql, /\.spans\b/);
});

test('an empty text matches an empty value, not a missing key', async () => {
  insertTraces(withAttributes({ k: '' }), withAttributes({ k: 'v' }), {});
  assert.deepEqual(await find(['k', '']), [1]);
});

test('of a key that was sent twice, both values are found', async () => {
  insertTraces({ attributes: [...attributesOf({ k: 'a' }), ...attributesOf({ k: 'b' })] });
  assert.deepEqual(await find(['k', 'a']), [1]);
  assert.deepEqual(await find(['k', 'b']), [1]);
});

test('strange texts match themselves and nothing else', async () => {
  const strange = [
    "it's",
    "' OR 1=1 --",
    '\\',
    "\\'",
    'a\0b',
    '{x:String}',
    '{key0:String}',
    '%',
    '_',
    '.*',
    '\n\t\r\b',
    '😀',
    '‮',
    '__proto__',
    '\\N',
    'NULL',
  ];
  insertTraces(...strange.map((text) => withAttributes({ k: text, [text]: 'key' })));
  for (const [i, text] of strange.entries()) {
    assert.deepEqual(await find(['k', text]), [i + 1], JSON.stringify(text));
    assert.deepEqual(await find([text, 'key']), [i + 1], JSON.stringify(text));
  }
});

test('a rare tag reads few granules, as the index is used', async () => {
  const spans = Array.from({ length: 20_000 }, (_, i) =>
    spanOf({
      traceId: traceId(i + 1),
      startUnixNanos: NOON - BigInt(i) * 1_000_000n,
      attributes: attributesOf({ order: `o${i}` }),
    }),
  );
  engine.insert(spans, tenant);
  engine.takeStatements();
  assert.deepEqual(await find(['order', 'o777']), [778]);
  const sql = engine.takeStatements().find((statement) => /\.spans\b/.test(statement))!;
  const bound = sql
    .replaceAll('{db:Identifier}', 'spanhouse')
    .replaceAll('{tenant:String}', `'${tenant}'`)
    .replaceAll('{from:Int64}', `${NOON - HOUR}`)
    .replaceAll('{to:Int64}', `${NOON + HOUR}`)
    .replaceAll('{service:String}', "'shop'")
    .replaceAll('{key0:String}', "'order'")
    .replaceAll('{text0:String}', "'o777'")
    .replaceAll('{event0:UInt64}', '5')
    .replaceAll('{limit:UInt32}', '20');
  const plan = engine.query(`EXPLAIN indexes = 1 ${bound}`);
  const [, kept, of] = /Name: kv[\s\S]*?Granules: (\d+)\/(\d+)/.exec(plan) ?? [];
  assert.ok(Number(kept) > 0 && Number(kept) * 3 < Number(of), `${kept} of ${of} granules`);
});
