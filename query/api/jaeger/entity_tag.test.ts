import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { OTHER_TENANT, startTestService, type TestService } from '../../testing/service.ts';
import { spanOf, traceId } from '../../testing/spans.ts';

let service: TestService;
before(async () => {
  service = await startTestService();
});
after(() => service.stop());

async function tagOf(path: string): Promise<string> {
  const { status, headers } = await service.get(path);
  assert.equal(status, 200);
  assert.equal(headers.get('cache-control'), 'private, no-cache');
  return headers.get('etag') ?? assert.fail('no etag');
}

const asking = (tag: string) => ({ headers: { 'if-none-match': tag } });

test('a trace that has not changed is not sent again, until a span comes or is another', async () => {
  const path = `/api/traces/${traceId(1)}`;
  const spans = [spanOf({ traceId: traceId(1) }), spanOf({ traceId: traceId(1), kind: 3 })];
  await service.insert(spans);
  const tag = await tagOf(path);
  assert.match(tag, /^W\/"1\.0-2-[0-9a-f]{16}"$/);
  const again = await service.get(path, asking(tag));
  assert.deepEqual([again.status, again.text, again.headers.get('etag')], [304, '', tag]);
  // Sent twice is the same trace.
  await service.insert(spans);
  assert.equal((await service.get(path, asking(`"other", ${tag}`))).status, 304);
  assert.equal(await tagOf(path), tag);
  await service.insert([spanOf({ traceId: traceId(1) })]);
  const grown = await service.get(path, asking(tag));
  assert.equal(grown.status, 200);
  assert.equal(grown.json().data[0]?.spans.length, 3);
  assert.notEqual(grown.headers.get('etag'), tag);
});

test('another tenant with the same trace id has another tag, and its own answer', async () => {
  await service.insert([spanOf({ traceId: traceId(2), name: 'own' })]);
  await service.insert([spanOf({ traceId: traceId(2), name: 'secret' })], OTHER_TENANT);
  const path = `/api/traces/${traceId(2)}`;
  const tag = await tagOf(path);
  assert.equal((await service.other.get(path, asking(tag))).status, 200);
  assert.equal((await service.get(path, asking(tag))).status, 304);
});

test('what no answer has as a tag, or is not there, is answered as without it', async () => {
  await service.insert([spanOf({ traceId: traceId(3) })]);
  for (const tag of ['*', '"', 'W/""', '"1-1-0000000000000000"', `"${'a'.repeat(5000)}"`]) {
    assert.equal((await service.get(`/api/traces/${traceId(3)}`, asking(tag))).status, 200, tag);
  }
  const missing = await service.get(`/api/traces/${traceId(4)}`, asking('"1-1-0"'));
  assert.equal(missing.status, 404);
  const search = await service.get('/api/traces?service=shop&limit=1');
  assert.equal(search.headers.get('etag'), null);
});
