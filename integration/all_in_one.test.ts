// What `spanhouse all-in-one` promises to someone who has just started it.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { type Exporter, grpcExporter, httpExporter, type Outcome } from './harness/exporter.ts';
import { call, getJson } from './harness/http.ts';
import { getServices, getTrace, searchTraces } from './harness/jaeger.ts';
import { assertLedgerBalances } from './harness/ledger.ts';
import { fetchMetrics } from './harness/metrics.ts';
import { encodeRequest, hex, type TestSpan, traceOf } from './harness/otlp.ts';
import { Spanhouse } from './harness/spanhouse.ts';

/** The issue asks for 200 ms; a CI machine that runs other tests too gets ten times that. */
const LONE_REQUEST_MS_MAX = 2_000;
const DAY_NANOS = 24n * 3600n * 1_000_000_000n;

function accepted(outcome: Outcome) {
  assert.equal(outcome.kind, 'ok', JSON.stringify(outcome));
  return (outcome as Extract<Outcome, { kind: 'ok' }>).partial;
}

function traceIdOf(spans: readonly TestSpan[]): string {
  return hex(spans[0]?.traceId ?? Buffer.alloc(0));
}

function hasIpv6Loopback(): boolean {
  return Object.values(networkInterfaces()).some((list) =>
    list?.some((at) => at.address === '::1'),
  );
}

describe('all-in-one', () => {
  let spanhouse: Spanhouse;
  let http: Exporter;
  let grpc: Exporter;
  before(async () => {
    spanhouse = await Spanhouse.start();
    http = httpExporter(spanhouse.otlpHttp);
    grpc = grpcExporter(spanhouse.otlpGrpc);
  });
  after(async () => {
    http?.close();
    grpc?.close();
    await spanhouse?.stop();
    await spanhouse?.remove();
  });

  async function shownSpans(traceId: string): Promise<number> {
    return (await getTrace(spanhouse.query, traceId))?.spans.length ?? 0;
  }

  test('a lone request is answered soon, and its trace can be read the moment it was', async () => {
    for (const exporter of [http, grpc]) {
      const spans = traceOf(12);
      const request = encodeRequest('lone', spans);
      const start = performance.now();
      accepted(await exporter.export(request));
      const took = performance.now() - start;
      assert.equal(await shownSpans(traceIdOf(spans)), 12);
      const found = await searchTraces(spanhouse.query, { service: 'lone' });
      assert.ok(found.some((trace) => trace.traceID === traceIdOf(spans)));
      assert.ok(took < LONE_REQUEST_MS_MAX, `answered after ${Math.round(took)} ms`);
    }
    assert.ok((await getServices(spanhouse.query)).includes('lone'));
  });

  test('a request that came twice is shown once', async () => {
    const spans = traceOf(5);
    const request = encodeRequest('twice', spans);
    accepted(await http.export(request));
    accepted(await http.export(request));
    accepted(await grpc.export(request));
    assert.equal(await shownSpans(traceIdOf(spans)), 5);
    assert.equal((await searchTraces(spanhouse.query, { service: 'twice' }))[0]?.spans.length, 5);
  });

  test('the newest traces are found first, however many there are', async () => {
    const now = BigInt(Date.now()) * 1_000_000n;
    const ids: string[] = [];
    for (let minutesAgo = 30n; minutesAgo > 0n; minutesAgo -= 3n) {
      const startUnixNanos = now - minutesAgo * 60_000_000_000n;
      const spans = traceOf(1).map((span) => ({ ...span, startUnixNanos }));
      ids.unshift(traceIdOf(spans));
      accepted(await http.export(encodeRequest('newest', spans)));
    }
    const found = await searchTraces(spanhouse.query, { service: 'newest', limit: '4' });
    assert.deepEqual(found.map((trace) => trace.traceID).sort(), ids.slice(0, 4).sort());
  });

  test('spans with a zero id, and spans older than the retention, are rejected with a reason', async () => {
    const now = BigInt(Date.now()) * 1_000_000n;
    // The same time in each request: other bytes would be other spans.
    const good = traceOf(3).map((span) => ({ ...span, startUnixNanos: now }));
    const first = good[0];
    assert.ok(first);
    const bad: readonly (readonly [TestSpan, RegExp])[] = [
      [{ ...first, traceId: Buffer.alloc(16) }, /trace_id/],
      [{ ...first, spanId: Buffer.alloc(8) }, /span_id/],
      [{ ...first, spanId: randomBytes(8), startUnixNanos: now - 31n * DAY_NANOS }, /retention/],
      [{ ...first, spanId: randomBytes(8), startUnixNanos: now + 2n * DAY_NANOS }, /future/],
    ];
    for (const exporter of [http, grpc]) {
      for (const [span, reason] of bad) {
        const partial = accepted(await exporter.export(encodeRequest('partial', [...good, span])));
        assert.equal(partial.rejectedSpans, 1);
        assert.match(partial.errorMessage, reason);
      }
    }
    assert.equal(await shownSpans(traceIdOf(good)), 3);
  });

  test('the ledger balances: received = stored + rejected + refused', async () => {
    const before = await assertLedgerBalances(spanhouse.metrics);
    const good = traceOf(7);
    const bad = { ...good[0], traceId: Buffer.alloc(16), spanId: randomBytes(8) };
    accepted(await http.export(encodeRequest('ledger', [...good, bad])));
    accepted(await grpc.export(encodeRequest('ledger', [...good, bad, bad])));
    assert.equal((await http.export(Buffer.from('rubbish'))).kind, 'refused');
    const after = await assertLedgerBalances(spanhouse.metrics);
    assert.equal(after.received - before.received, 17);
    assert.equal(after.stored - before.stored, 14);
    assert.equal(after.rejected - before.rejected, 3);
  });

  test('an empty request is fine', async () => {
    accepted(await http.export(Buffer.alloc(0)));
    accepted(await grpc.export(Buffer.alloc(0)));
  });

  test('every port answers on 127.0.0.1 and on ::1', async (t) => {
    const hosts = hasIpv6Loopback() ? ['127.0.0.1', '[::1]', 'localhost'] : ['127.0.0.1'];
    t.diagnostic(`tried ${hosts.join(', ')}`);
    const { ports } = spanhouse;
    for (const host of hosts) {
      const services = await call(`http://${host}:${ports.query}/api/services`);
      const metrics = await call(`http://${host}:${ports.metrics}/metrics`);
      const health = await call(`http://${host}:${ports.health}/healthz`);
      assert.deepEqual([services.status, metrics.status, health.status], [200, 200, 200], host);
      for (const exporter of [
        httpExporter(`http://${host}:${ports.otlpHttp}`),
        grpcExporter(`${host}:${ports.otlpGrpc}`),
      ]) {
        accepted(await exporter.export(encodeRequest('families', traceOf(1))));
        exporter.close();
      }
    }
  });

  test('a foreign Host is refused on every HTTP port, whatever the path', async () => {
    const { ports } = spanhouse;
    const paths = [
      [ports.otlpHttp, '/v1/traces'],
      [ports.query, '/'],
      [ports.query, '/api/services'],
      [ports.metrics, '/metrics'],
    ] as const;
    for (const [port, path] of paths) {
      for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example']) {
        const answer = await call(`http://127.0.0.1:${port}${path}`, { headers: { host } });
        assert.equal(answer.status, 403, `${host} ${path}`);
        assert.match(answer.body.toString(), /allowed_hosts/);
      }
      const fine = await call(`http://127.0.0.1:${port}${path}`, {
        headers: { host: 'localhost' },
      });
      assert.notEqual(fine.status, 403);
    }
  });

  test('a POST that any web page could send is refused', async () => {
    const types = ['text/plain', 'text/plain;charset=UTF-8', 'application/x-www-form-urlencoded'];
    for (const type of types) {
      const answer = await call(`${spanhouse.otlpHttp}/v1/traces`, {
        body: '{"resourceSpans":[]}',
        headers: { 'content-type': type },
      });
      assert.equal(answer.status, 415, type);
    }
    const preflight = await call(`${spanhouse.otlpHttp}/v1/traces`, {
      method: 'OPTIONS',
      headers: { origin: 'https://page.example', 'access-control-request-method': 'POST' },
    });
    assert.equal(preflight.headers['access-control-allow-origin'], undefined);
  });

  test('GET / says in plain HTML what runs here and how to ask it', async () => {
    const page = await call(`${spanhouse.query}/`);
    assert.equal(page.status, 200);
    assert.match(page.headers['content-type'] ?? '', /^text\/html/);
    assert.match(page.body.toString(), /Spanhouse/);
    assert.match(page.body.toString(), /curl [^<]*\/api\/traces/);
    assert.doesNotMatch(page.body.toString(), /<script/i);
  });

  test('health and metrics answer', async () => {
    assert.equal((await call(`${spanhouse.health}/healthz`)).status, 200);
    assert.equal((await call(`${spanhouse.health}/readyz`)).status, 200);
    assert.ok((await fetchMetrics(spanhouse.metrics)).samples.length > 0);
  });

  test('an unknown trace is 404, a search that finds nothing is empty, nonsense is 400', async () => {
    const unknown = randomBytes(16).toString('hex');
    assert.equal((await call(`${spanhouse.query}/api/traces/${unknown}`)).status, 404);
    const { data } = (await getJson(`${spanhouse.query}/api/traces?service=nobody`)) as {
      data: unknown[];
    };
    assert.deepEqual(data, []);
    for (const wrong of ['', 'service=a&limit=x', 'service=a&minDuration=20', 'traceID=x200']) {
      const answer = await call(`${spanhouse.query}/api/traces?${wrong}`);
      assert.equal(answer.status, 400, wrong);
    }
  });
});
