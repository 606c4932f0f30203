import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Span } from '../../model/span.ts';
import { Exporter, NothingListensError, retryAfterMs } from './exporter.ts';
import { startPods } from './pods.ts';
import { Random } from './random.ts';
import { makeTrace, SCENARIOS } from './scenario.ts';

test('a trace arrives in one request for each pod that took part', async (t) => {
  const server = await startServer(t, [(response) => response.end()]);
  const exporter = new Exporter(server.url, new AbortController().signal);
  const spans = checkout();
  await exporter.send(spans);
  const pods = new Set(spans.map((span) => span.resource)).size;
  assert.equal(server.requests.length, pods);
  assert.ok(server.requests.every((path) => path === 'POST /v1/traces application/x-protobuf'));
  assert.deepEqual(
    { ...exporter.totals },
    { requests: pods, spans: spans.length, rejected: 0, dropped: 0, retries: 0, lastProblem: '' },
  );
});

test('a request that was answered "later" is sent again after Retry-After', async (t) => {
  const server = await startServer(t, [
    (response) => response.writeHead(429, { 'retry-after': '0' }).end(),
    (response) => response.writeHead(503, { 'retry-after': '0' }).end('warming up'),
    (response) => response.end(),
  ]);
  const exporter = new Exporter(server.url, new AbortController().signal);
  await exporter.send(checkout().slice(0, 1));
  assert.equal(server.requests.length, 3);
  assert.equal(exporter.totals.retries, 2);
  assert.equal(exporter.totals.spans, 1);
  assert.match(exporter.totals.lastProblem, /503: warming up/);
});

test('a request that was refused for good is not sent again', async (t) => {
  const server = await startServer(t, [(response) => response.writeHead(400).end('not OTLP')]);
  const exporter = new Exporter(server.url, new AbortController().signal);
  await exporter.send(checkout().slice(0, 1));
  assert.equal(server.requests.length, 1);
  assert.equal(exporter.totals.rejected, 1);
  assert.match(exporter.totals.lastProblem, /400: not OTLP/);
});

test('spans rejected in a partial success are counted, with the server’s reason', async (t) => {
  const message = Buffer.from('too old');
  const inner = Buffer.concat([Buffer.of(0x08, 1, 0x12, message.length), message]);
  const answer = Buffer.concat([Buffer.of(0x0a, inner.length), inner]);
  const server = await startServer(t, [(response) => response.end(answer)]);
  const exporter = new Exporter(server.url, new AbortController().signal);
  const first = checkout()[0];
  assert.ok(first);
  await exporter.send([first, first]);
  assert.equal(exporter.totals.spans, 1);
  assert.equal(exporter.totals.rejected, 1);
  assert.equal(exporter.totals.lastProblem, 'too old');
});

test('an interrupt ends the waiting, and what was not sent is counted as dropped', async (t) => {
  const stop = new AbortController();
  const server = await startServer(t, [
    (response) => {
      response.writeHead(503, { 'retry-after': '30' }).end();
      setImmediate(() => stop.abort());
    },
  ]);
  const exporter = new Exporter(server.url, stop.signal);
  await exporter.send(checkout().slice(0, 1));
  assert.equal(exporter.totals.dropped, 1);
});

test('where nobody listens, the probe says so', async (t) => {
  const server = await startServer(t, []);
  await server.close();
  const exporter = new Exporter(server.url, new AbortController().signal);
  await assert.rejects(exporter.probe(), NothingListensError);
});

test('Retry-After is read in seconds and as a date, and bounded', () => {
  const read = (value: string): number | undefined =>
    retryAfterMs(new Headers({ 'retry-after': value }), Date.UTC(2026, 10, 23, 12, 0, 0));
  assert.equal(read('2'), 2000);
  assert.equal(read('Mon, 23 Nov 2026 12:00:05 GMT'), 5000);
  assert.equal(read('Mon, 23 Nov 2026 11:00:00 GMT'), 0);
  assert.equal(read('86400'), 30_000);
  assert.equal(read('soon'), undefined);
  assert.equal(retryAfterMs(new Headers()), undefined);
});

function checkout(): readonly Span[] {
  const random = new Random(3);
  const scenario = SCENARIOS.find(({ name }) => name === 'checkout');
  assert.ok(scenario);
  return makeTrace(random, startPods(random), scenario, 1_790_000_000_000_000_000n);
}

type Answer = (response: ServerResponse) => unknown;

/** Answers in order; the last answer serves for all that follow. */
async function startServer(t: TestContext, answers: readonly Answer[]) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const type = request.headers['content-type'] ?? '';
      requests.push(`${request.method ?? ''} ${request.url ?? ''} ${type}`);
      answers[Math.min(requests.length, answers.length) - 1]?.(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  t.after(close);
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests, close };
}
