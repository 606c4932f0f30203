import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type FoundTrace, getTraces, traceKeyOf } from './get.ts';
import { openTestEngine, type TestEngine } from './testing/engine.ts';
import { resourceOf, scopeOf, spanOf, traceId } from './testing/spans.ts';

let engine: TestEngine;
before(() => {
  engine = openTestEngine();
});
after(() => engine.close());

async function get(tenant: string, n: number): Promise<FoundTrace> {
  for await (const trace of getTraces(engine.select, tenant, [traceKeyOf(traceId(n))!])) {
    return trace;
  }
  throw new Error('no trace');
}

const contentStatements = (): number =>
  engine.takeStatements().filter((sql) => /\.(resources|scopes)\b/.test(sql)).length;

test('resources and scopes are looked up once, and are the same objects afterwards', async () => {
  const common = { resource: resourceOf('shop', { host: 'a' }), scope: scopeOf('lib') };
  const parts = [1, 2].map((n) => spanOf({ traceId: traceId(n), ...common }));
  engine.insert([parts[0]!], 'acme');
  engine.insert([parts[1]!], 'acme');
  engine.takeStatements();
  const first = await get('acme', 1);
  assert.equal(contentStatements(), 2);
  const second = await get('acme', 2);
  assert.equal(contentStatements(), 0);
  assert.deepEqual(first.spans[0]?.resource, common.resource);
  assert.equal(second.spans[0]?.resource, first.spans[0]?.resource);
  assert.equal(second.spans[0]?.scope, first.spans[0]?.scope);
});

test('what one tenant has looked up is not shown to another', async () => {
  const resource = resourceOf('shop', { secret: 'x' });
  engine.insert([spanOf({ traceId: traceId(3), resource })], 'acme');
  await get('acme', 3);
  engine.insert([spanOf({ traceId: traceId(3), resource })], 'rival');
  engine.takeStatements();
  await get('rival', 3);
  assert.ok(contentStatements() > 0);
});
