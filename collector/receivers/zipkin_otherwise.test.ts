// Zipkin's port where the process answers queries, too: what only reads goes to someone else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryBudget } from '../../service/memory_budget.ts';
import type { Batch } from '../batch.ts';
import { JsonWorker } from '../json_worker.ts';
import { checkingAccept } from './testing/rig.ts';
import { startZipkin } from './zipkin.ts';

test('reading is for someone else, sending stays, and who may send from a page may not read', async () => {
  const batches: Batch[] = [];
  const asked: string[] = [];
  const json = new JsonWorker();
  const listener = await startZipkin(
    {
      accept: checkingAccept(batches),
      budget: new MemoryBudget(1024 * 1024),
      json,
      metrics: { request: () => undefined, receivedBytes: () => undefined },
      onBug: (error) => assert.fail(String(error)),
      corsOrigins: ['https://app.example'],
      otherwise: (request, response) => {
        asked.push(`${request.method} ${request.url}`);
        response.end('read');
      },
    },
    { host: '127.0.0.1', port: 0, setting: 'test' },
  );
  const at = `http://127.0.0.1:${listener.port}`;
  const origin = { origin: 'https://app.example' };
  try {
    for (const path of ['/api/v2/traces?limit=1', '/api/v2/spans?serviceName=a', '/health', '/']) {
      const answer = await fetch(at + path, { headers: origin });
      assert.equal(await answer.text(), 'read');
      assert.equal(answer.headers.get('access-control-allow-origin'), null);
      assert.equal(asked.pop(), `GET ${path}`);
    }
    await fetch(`${at}/zipkin/`, { method: 'HEAD' });
    assert.equal(asked.pop(), 'HEAD /zipkin/');
    const span = { traceId: '000000000000000a', id: '000000000000000b', timestamp: 1 };
    const sent = await fetch(`${at}/api/v2/spans`, {
      method: 'POST',
      body: JSON.stringify([span]),
      headers: { ...origin, 'content-type': 'application/json' },
    });
    assert.equal(sent.status, 202);
    assert.equal(sent.headers.get('access-control-allow-origin'), 'https://app.example');
    assert.equal(batches.length, 1);
    const elsewhere = await fetch(`${at}/api/v2/traces`, { method: 'POST', body: '[]' });
    assert.ok(elsewhere.status >= 400);
    for (const method of ['DELETE', 'PUT', 'OPTIONS']) await fetch(at, { method });
    assert.deepEqual(asked, []);
  } finally {
    await Promise.all([listener.stop(100), json.stop()]);
  }
});
