import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Health, openHealth } from './health.ts';

const AT = { host: 'localhost', port: 0, setting: 'listen.health' };

async function serve(t: TestContext, health: Health): Promise<(path: string) => Promise<Response>> {
  const http = await openHealth(health, AT);
  t.after(() => http.stop(0));
  return (path) => fetch(`http://127.0.0.1:${http.port}${path}`);
}

test('a starting process is alive and not ready', async (t) => {
  const get = await serve(t, new Health());
  assert.equal((await get('/healthz')).status, 200);
  const ready = await get('/readyz');
  assert.equal(ready.status, 503);
  assert.deepEqual(await ready.json(), { status: 'not ready', reasons: ['starting'] });
});

test('a started process is ready, at / too', async (t) => {
  const health = new Health();
  health.started();
  const get = await serve(t, health);
  assert.equal((await get('/readyz')).status, 200);
  assert.deepEqual(await (await get('/')).json(), { status: 'ready' });
});

test('a failing check says why, and readiness comes back when it passes again', async (t) => {
  const health = new Health();
  let reason: string | undefined = 'the engine is restarting';
  health.check('store', () => reason);
  health.started();
  const get = await serve(t, health);
  const ready = await get('/readyz');
  assert.equal(ready.status, 503);
  assert.deepEqual(await ready.json(), {
    status: 'not ready',
    reasons: ['store: the engine is restarting'],
  });
  reason = undefined;
  assert.equal((await get('/readyz')).status, 200);
});

test('a draining process is alive, not ready, and stays so', async (t) => {
  const health = new Health();
  health.started();
  health.draining();
  health.started();
  const get = await serve(t, health);
  assert.equal((await get('/readyz')).status, 503);
  assert.equal((await get('/healthz')).status, 200);
});

test('another path is a 404 that names the right ones', async (t) => {
  const get = await serve(t, new Health());
  const answer = await get('/health');
  assert.equal(answer.status, 404);
  assert.match(await answer.text(), /\/readyz/);
});
