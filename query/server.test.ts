import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import type { Listener } from '../service/http_listener.ts';
import { silentLog } from '../service/log.ts';
import { Metrics } from '../service/metrics.ts';
import { StoreError } from '../storage/span_store.ts';
import { startQuery } from './server.ts';

// No store behind it: what is tested here must not need one, or must say well that it is gone.
let service: Listener;
let metrics: Metrics;

before(async () => {
  metrics = new Metrics();
  service = await startQuery({
    access: {
      database: 'spanhouse',
      query: () => Promise.reject(new StoreError('The engine is being restarted.', true)),
    },
    listen: { host: 'localhost', port: 0, setting: 'listen.query' },
    log: silentLog,
    metrics,
    otlp: { otlpHttpPort: 14318, otlpGrpcPort: 14317 },
  });
});
after(() => service.stop(100));

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

function ask(path: string, options: { host?: string; method?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { host = `localhost:${service.port}`, method = 'GET' } = options;
    const target = { host: '127.0.0.1', port: service.port, path, method, headers: { host } };
    request(target, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode!, headers: response.headers, text });
      });
    })
      .on('error', reject)
      .end();
  });
}

test('the first page says what runs here and what to try', async () => {
  const { status, headers, text } = await ask('/');
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/html; charset=utf-8');
  assert.match(text, /Spanhouse/);
  assert.match(text, new RegExp(`curl http://localhost:${service.port}/api/services`));
  assert.match(text, /curl -X POST http:\/\/localhost:14318\/v1\/traces/);
  assert.match(text, /localhost:14317/);
  assert.doesNotMatch(text, /<script|<style|\son\w+=/i);
});

test('no answer may be sniffed, framed, or read by another origin', async () => {
  for (const path of ['/', '/api/services', '/api/nothing', '/nothing']) {
    const { headers } = await ask(path);
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
    assert.match(String(headers['content-security-policy']), /default-src 'none'/, path);
    assert.equal(headers['access-control-allow-origin'], undefined, path);
  }
});

test('a foreign Host name is refused, as a rebound name would be', async () => {
  assert.equal((await ask('/api/services', { host: 'evil.example' })).status, 403);
  assert.equal((await ask('/', { host: `127.0.0.1:${service.port}` })).status, 200);
});

test('paths that are not there are answered as Go does', async () => {
  for (const path of ['/api/nothing', '/api', '/api/traces/1/2', '/%zz', '/__proto__']) {
    const { status, headers, text } = await ask(path);
    if (path === '/%zz') assert.ok(status === 400 || status === 404);
    else {
      assert.equal(status, 404, path);
      assert.equal(text, '404 page not found\n', path);
      assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
    }
  }
  assert.equal((await ask('/api/services', { method: 'POST' })).status, 404);
});

test('a slash at the end changes nothing', async () => {
  assert.equal((await ask('/api/traces/')).status, 400);
  assert.equal((await ask('/api/traces')).status, 400);
});

test('without the store a request is told to come back', async () => {
  for (const path of ['/api/services', '/api/traces?service=a', '/api/traces/1']) {
    const { status, headers, text } = await ask(path);
    assert.equal(status, 503, path);
    assert.equal(headers['retry-after'], '1');
    const { errors } = JSON.parse(text) as { errors: { code: number; msg: string }[] };
    assert.equal(errors[0]?.code, 503);
    assert.match(errors[0]!.msg, /try again/);
  }
});

test('bad input is refused without asking the store', async () => {
  const cases = [
    '/api/traces',
    '/api/traces?service=a&limit=x',
    '/api/traces/xyz',
    `/api/traces/${'1'.repeat(33)}`,
    '/api/traces/1?start=x',
    '/api/traces/1?raw=maybe',
    '/api/operations',
    '/api/operations?service=a&spanKind=nonsense',
  ];
  for (const path of cases) {
    const { status, text } = await ask(path);
    assert.equal(status, 400, path);
    assert.equal((JSON.parse(text) as { errors: { code: number }[] }).errors[0]?.code, 400);
  }
});

test('paths and names of a request never become labels of a metric', async () => {
  await ask('/api/traces/feedbeef?secret=1');
  await ask('/secret-path');
  const text = await metrics.expose();
  assert.match(text, /route="\/api\/traces\/:traceId"/);
  assert.doesNotMatch(text, /feedbeef|secret/);
});
