import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { runDemo } from './demo.ts';
import { parseDemoOptions } from './options.ts';

test('without flags it goes to the default port of OTLP over HTTP and runs until stopped', () => {
  const options = parseDemoOptions([]);
  assert.notEqual(options, 'help');
  if (options === 'help') return;
  assert.equal(options.endpoint, 'http://localhost:4318/');
  assert.equal(options.query, 'http://localhost:16686');
  assert.equal(options.tracesPerSecond, 5);
  assert.equal(options.durationSeconds, Infinity);
});

test('durations are read with their unit', () => {
  for (const [text, seconds] of [
    ['90', 90],
    ['30s', 30],
    ['1.5m', 90],
    ['2h', 7200],
  ] as const) {
    const options = parseDemoOptions(['--duration', text]);
    assert.ok(options !== 'help' && options.durationSeconds === seconds, text);
  }
});

test('bad flags are refused with a sentence that names them', () => {
  for (const [flag, value] of [
    ['--rate', '0'],
    ['--rate', 'many'],
    ['--duration', 'long'],
    ['--seed', '-1'],
    ['--endpoint', 'localhost:4318'],
    ['--unknown', 'x'],
  ] as const) {
    assert.throws(() => parseDemoOptions([`${flag}=${value}`]), new RegExp(flag));
  }
});

test('once sends the history and prints addresses of traces that were sent', async (t) => {
  const printed = capture(t, 'log');
  const received: Buffer[] = [];
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => received.push(chunk));
    request.on('end', () => response.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const code = await runDemo(['--once', '--seed', '1', '--endpoint', `http://127.0.0.1:${port}`]);
  assert.equal(code, 0);
  const bytes = Buffer.concat(received);
  const addresses = [...printed().matchAll(/:16686\/api\/traces\/([0-9a-f]{32})/g)];
  assert.equal(addresses.length, 4);
  for (const [, traceId] of addresses) assert.ok(bytes.includes(Buffer.from(traceId ?? '', 'hex')));
});

test('where nothing listens, it says how to start Spanhouse', async (t) => {
  const printed = capture(t, 'error');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  assert.equal(await runDemo(['--once', '--endpoint', `http://127.0.0.1:${port}`]), 1);
  assert.match(printed(), /Nothing listens at .*npm start/);
});

function capture(t: TestContext, method: 'log' | 'error'): () => string {
  const mock = t.mock.method(console, method, () => undefined);
  return () => mock.mock.calls.map((call) => call.arguments.join(' ')).join('\n');
}
