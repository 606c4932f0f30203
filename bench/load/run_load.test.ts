import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LoadOptions } from './options.ts';
import { runLoad } from './run_load.ts';

const SMALL = { senders: 4, connections: 2, seconds: 0.4, spansPerRequest: 10, requests: 20 };

test('every protocol gets its spans acknowledged by the real receivers', async (t) => {
  const server = await startReceivers(t);
  for (const protocol of ['http', 'http-gzip', 'grpc'] as const) {
    const port = protocol === 'grpc' ? server.grpc : server.http;
    const options: LoadOptions = { ...SMALL, protocol, host: '127.0.0.1', port };
    const { load, server: use } = await runLoad(server.pid, options);
    assert.deepEqual(load.failures, {}, protocol);
    assert.ok(load.requests > 0, protocol);
    assert.equal(load.spans, load.requests * SMALL.spansPerRequest, protocol);
    assert.equal(load.rejectedSpans, 0, protocol);
    assert.ok(load.latencyP50Ms > 0 && load.latencyP50Ms <= load.latencyP99Ms);
    assert.ok(load.latencyP99Ms <= load.latencyMaxMs);
    assert.ok(use.cpuSeconds >= use.cpuSecondsAnswered);
    assert.ok(use.rssPeakBytes > 10e6);
  }
});

test('refusals are counted by their answer, and are no acknowledged spans', async (t) => {
  const port = await startServer(t, (status) => status === 1);
  const options: LoadOptions = { ...SMALL, protocol: 'http', host: '127.0.0.1', port };
  const { load } = await runLoad(process.pid, options);
  assert.equal(load.requests, 1);
  assert.equal(load.spans, 10);
  assert.deepEqual(Object.keys(load.failures), ['HTTP 503']);
});

test('a rate is kept where the server keeps up', async (t) => {
  const port = await startServer(t, () => true);
  const rate = { seconds: 0.5, requestsPerSecond: 20 };
  const options: LoadOptions = { ...SMALL, ...rate, protocol: 'http', host: '127.0.0.1', port };
  const { load } = await runLoad(process.pid, options);
  assert.ok(load.requests >= 5 && load.requests <= 11, `${load.requests} requests`);
});

/** `accepts` is asked with the number of the request, from 1; the others get a 503. */
async function startServer(t: TestContext, accepts: (number: number) => boolean): Promise<number> {
  let number = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(accepts(++number) ? 200 : 503).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function startReceivers(t: TestContext) {
  const file = path.join(import.meta.dirname, '..', 'receive', 'server.ts');
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const ports = JSON.parse(line.toString()) as { http: number; grpc: number };
  return { pid: child.pid ?? 0, ...ports };
}
