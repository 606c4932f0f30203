import assert from 'node:assert/strict';
import { get as httpGet } from 'node:http';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { silentLog } from '../../../service/log.ts';
import { Metrics } from '../../../service/metrics.ts';
import { startQuery } from '../../server.ts';
import {
  amongOthers,
  type Envelope,
  startTestService,
  type TestService,
} from '../../testing/service.ts';
import {
  attributesOf,
  HOUR,
  MINUTE,
  NOON,
  resourceOf,
  spanOf,
  traceId,
} from '../../testing/spans.ts';

let service: TestService;
before(async () => {
  service = amongOthers(await startTestService());
});
after(() => service.stop());

const trace = async (n: number, query = '') =>
  (await service.get(`/api/traces/${traceId(n)}${query}`)).json().data[0]!;

test('ids are read in base64, too', async () => {
  await service.insert([spanOf({ traceId: traceId(1) })]);
  const bytes = Buffer.from(traceId(1), 'hex');
  for (const text of [bytes.toString('base64'), bytes.toString('base64url')]) {
    const answer = await service.get(`/api/traces/${encodeURIComponent(text)}`);
    assert.equal(answer.status, 200, text);
    assert.equal(answer.json().data[0]?.traceID, traceId(1));
  }
  const short = Buffer.from('00000000000000ab', 'hex').toString('base64');
  assert.equal((await service.get(`/api/traces/${encodeURIComponent(short)}`)).status, 404);
  for (const bad of ['zzzz', 'x'.repeat(25), 'q83vEjRWeJA=A', '!!!!!!!!!!!=']) {
    assert.equal((await service.get(`/api/traces/${encodeURIComponent(bad)}`)).status, 400, bad);
  }
});

test('addresses that were sent as numbers are shown with dots, but not raw', async () => {
  const attributes = attributesOf({ ip: 0x0a000102n, 'peer.ipv4': -1_062_731_775, port: 80n });
  const resource = resourceOf('shop', { ip: 0x7f000001n });
  await service.insert([spanOf({ traceId: traceId(2), attributes, resource })]);
  const shown = await trace(2);
  const values = (tags: readonly { key: string; value: unknown }[]) =>
    Object.fromEntries(tags.map((tag) => [tag.key, tag.value]));
  const tags = values(shown.spans[0]!.tags);
  assert.equal(tags['ip'], '10.0.1.2');
  assert.equal(tags['peer.ipv4'], '192.168.0.1');
  assert.equal(tags['port'], 80);
  assert.equal(values(shown.processes['p1']!.tags)['ip'], '127.0.0.1');
  assert.equal(values((await trace(2, '?raw=true')).spans[0]!.tags)['ip'], 0x0a000102);
});

test('what a library says of itself moves to the process, unless that says otherwise', async () => {
  const sdk = (language: string) => attributesOf({ 'telemetry.sdk.language': language, a: 'b' });
  const resource = resourceOf('shop', { 'telemetry.sdk.language': 'go' });
  await service.insert([
    spanOf({ traceId: traceId(3), spanId: '0000000000000001', attributes: sdk('nodejs') }),
    spanOf({ traceId: traceId(3), spanId: '0000000000000002', attributes: sdk('nodejs') }),
    spanOf({ traceId: traceId(3), spanId: '0000000000000003', attributes: sdk('go'), resource }),
    spanOf({ traceId: traceId(3), spanId: '0000000000000004', attributes: sdk('java'), resource }),
  ]);
  const { spans, processes } = await trace(3);
  const [one, two, three, four] = spans;
  for (const span of [one!, two!, three!]) {
    assert.ok(!span.tags.some((tag) => tag.key === 'telemetry.sdk.language'));
    assert.equal(span.warnings, null);
  }
  assert.equal(one!.processID, two!.processID);
  assert.deepEqual(processes[one!.processID]!.tags, [
    { key: 'telemetry.sdk.language', type: 'string', value: 'nodejs' },
  ]);
  assert.ok(four!.tags.some((tag) => tag.value === 'java'));
  assert.deepEqual(four!.warnings, [
    'conflicting values between Span and Resource for attribute telemetry.sdk.language',
  ]);
});

test('a span that does not fit into its parent on another host is moved where that is allowed', async () => {
  const of = (host: string) => resourceOf('shop', { 'host.name': host });
  const [above, below] = ['00000000000000a1', '00000000000000a2'] as const;
  await service.insert([
    spanOf({ traceId: traceId(70), spanId: above, durationNanos: MINUTE, resource: of('a') }),
    spanOf({
      traceId: traceId(70),
      spanId: below,
      parentSpanId: above,
      startUnixNanos: NOON - MINUTE,
      durationNanos: 0n,
      resource: of('b'),
    }),
  ]);
  const told = (await trace(70)).spans[1];
  assert.deepEqual(told?.warnings, [
    'clock skew adjustment disabled; not applying calculated delta of 1m30s',
  ]);
  const moving = await startQuery({
    access: service.access,
    listen: { host: '127.0.0.1', port: 0, setting: 'listen.query' },
    log: silentLog,
    metrics: new Metrics(),
    clockSkewMsMax: 90_000,
  });
  try {
    const url = `http://127.0.0.1:${moving.port}/api/traces/${traceId(70)}`;
    const startOf = async (query: string): Promise<number | undefined> => {
      const { data } = (await (await fetch(url + query)).json()) as Envelope;
      return data[0]?.spans.find(({ spanID }) => spanID === below)?.startTime;
    };
    assert.equal(await startOf(''), Number((NOON + MINUTE / 2n) / 1000n));
    assert.equal(await startOf('?raw=true'), Number((NOON - MINUTE) / 1000n));
  } finally {
    await moving.stop(1000);
  }
});

test('client and server that share an id are told apart, but not raw', async () => {
  const shared = { traceId: traceId(4), spanId: '00000000000000f0' };
  await service.insert([
    spanOf({ ...shared, kind: 3, service: 'front' }),
    spanOf({ ...shared, kind: 2, service: 'back' }),
  ]);
  const ids = (await trace(4)).spans.map((span) => span.spanID);
  assert.deepEqual(ids, ['00000000000000f0', '0000000000000001']);
  const raw = (await trace(4, '?raw=true')).spans.map((span) => span.spanID);
  assert.deepEqual(raw, ['00000000000000f0', '00000000000000f0']);
});

test('calls between services are counted once, whatever was sent twice', async () => {
  const of = (n: number, spanId: string, parent: string, name: string, kind: 2 | 3 = 2) =>
    spanOf({
      traceId: traceId(n),
      spanId: spanId.padStart(16, '0'),
      parentSpanId: parent === '' ? '' : parent.padStart(16, '0'),
      service: name,
      kind,
      startUnixNanos: NOON - 3n * 24n * HOUR,
    });
  const spans = [
    of(10, '1', '', 'd-a'),
    of(10, '2', '1', 'd-a', 3),
    of(10, '3', '2', 'd-b'),
    of(10, '4', '2', 'd-b'),
    of(11, '3', '2', 'd-b'), // its parent is in another trace only
    of(12, '1', '', 'd-a', 3),
    of(12, '1', '', 'd-c'), // shares the id of its client
    of(12, '2', '1', 'd-b'),
  ];
  await service.insert(spans);
  await service.insert(spans);
  const end = Number((NOON - 3n * 24n * HOUR + MINUTE) / 1_000_000n);
  const ask = async (query: string) => (await service.get(`/api/dependencies?${query}`)).json();
  const { data, total } = await ask(`endTs=${end}&lookback=120000`);
  assert.deepEqual(data, [
    { parent: 'd-a', child: 'd-b', callCount: 2 },
    { parent: 'd-a', child: 'd-c', callCount: 1 },
    { parent: 'd-c', child: 'd-b', callCount: 1 },
  ]);
  assert.equal(total, 0);
  assert.equal((await ask(`endTs=${end}&lookback=120000&service=d-c`)).data.length, 2);
  assert.deepEqual((await ask(`endTs=${end - 120_000}&lookback=1000`)).data, []);
  await service.insert(spans.slice(0, 3), 'acme');
  assert.equal((await ask(`endTs=${end}&lookback=120000`)).data.length, 3, 'another tenant');
  for (const bad of ['endTs=x', 'lookback=-1', `endTs=${'9'.repeat(19)}`, 'lookback=1h']) {
    assert.equal((await service.get(`/api/dependencies?${bad}`)).status, 400, bad);
  }
});

test('what is not there is refused as Jaeger does', async () => {
  assert.equal((await service.get('/api/archive/xyz', { method: 'POST' })).status, 400);
  for (const path of ['/api/deep-dependencies', '/api/metrics/x', '/api/x']) {
    const answer = await service.get(path);
    assert.deepEqual([answer.status, answer.text], [404, '404 page not found\n']);
  }
});

test('large answers are compressed for those who ask, and say that this may differ', async () => {
  const attributes = attributesOf({ text: 'x'.repeat(5000) });
  await service.insert([spanOf({ traceId: traceId(5), attributes })]);
  const ask = (encoding: string) =>
    new Promise<{ coding: string | undefined; vary: string | undefined; body: Buffer }>(
      (resolve, reject) => {
        const headers = { 'accept-encoding': encoding };
        const path = `/api/traces/${traceId(5)}`;
        httpGet({ host: '127.0.0.1', port: service.port, path, headers }, async (response) => {
          const body = Buffer.concat(await response.toArray());
          const { vary, 'content-encoding': coding } = response.headers;
          resolve({ coding, vary, body });
        }).on('error', reject);
      },
    );
  const plain = await ask('identity');
  assert.deepEqual([plain.coding, plain.vary], [undefined, 'accept-encoding']);
  const small = await ask('gzip');
  assert.equal(small.coding, 'gzip');
  assert.ok(small.body.length * 5 < plain.body.length);
  assert.deepEqual(gunzipSync(small.body), plain.body);
});
