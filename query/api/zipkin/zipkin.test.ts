import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { jsonV2ToOtlp } from '../../../model/codec/zipkin/json_v2.ts';
import { spansOf } from '../../../model/codec/zipkin/testing/spans_of.ts';
import type { V2Span } from '../../../model/codec/zipkin/v1_span.ts';
import { startTestService, type TestService } from '../../testing/service.ts';
import {
  attributesOf,
  eventOf,
  MINUTE,
  NOON,
  resourceOf,
  SECOND,
  spanOf,
  traceId,
} from '../../testing/spans.ts';

const API = '/zipkin/api/v2';
const NOON_MICROS = Number(NOON / 1000n);

let service: TestService;
before(async () => {
  service = await startTestService();
});
after(() => service.stop());

const ask = async (path: string) => {
  const answer = await service.get(API + path);
  assert.equal(answer.status, 200, `${path}: ${answer.text}`);
  return JSON.parse(answer.text);
};
const other = async (path: string) => JSON.parse((await service.other.get(API + path)).text);

/** As a Zipkin reporter would send them. */
async function insertZipkin(spans: readonly V2Span[], tenant?: string): Promise<void> {
  const answer = jsonV2ToOtlp(new TextEncoder().encode(JSON.stringify(spans)), NOON_MICROS);
  assert.ok(answer.ok);
  await service.insert(
    spansOf(answer.bytes).map((span) => {
      const named = span.resource.attributes.find(({ key }) => key === 'service.name');
      return { ...span, service: named?.value.type === 'string' ? named.value.value : '' };
    }),
    tenant,
  );
}

const ids = (traces: readonly (readonly V2Span[])[]) => traces.map((spans) => spans[0]?.traceId);

test('what came as Zipkin comes back with the same meaning, its names in lower case', async () => {
  const span: V2Span = {
    traceId: '00000000000000c1',
    parentId: '00000000000000d0',
    id: '00000000000000d1',
    kind: 'CLIENT',
    name: 'Get /Things',
    timestamp: NOON_MICROS + 1,
    duration: 207,
    localEndpoint: { serviceName: 'Front', ipv4: '10.0.0.1', port: 80 },
    remoteEndpoint: { serviceName: 'Back', ipv4: '10.0.0.2', ipv6: '2001:db8::1', port: 8080 },
    annotations: [{ timestamp: NOON_MICROS + 5, value: 'Flushed' }],
    tags: { 'http.method': 'GET', error: 'Oh no', 'peer.service': 'Tag' },
    debug: true,
  };
  await insertZipkin([span]);
  await insertZipkin([span]);
  await insertZipkin([{ ...span, name: 'Not yours' }], 'other');
  const expected = {
    ...span,
    name: 'get /things',
    localEndpoint: { ...span.localEndpoint, serviceName: 'front' },
    remoteEndpoint: { ...span.remoteEndpoint, serviceName: 'back' },
  };
  assert.deepEqual(await ask('/trace/c1'), [expected]);
  assert.deepEqual(await ask('/trace/00000000000000c1'), [expected]);
  const long = await service.get(`${API}/trace/${'1'.repeat(16)}00000000000000c1`);
  assert.deepEqual([long.status, long.text], [404, `${'1'.repeat(16)}00000000000000c1 not found`]);
});

test('lists have names in lower case, once, and may be kept where they are long', async () => {
  const at = (name: string, operation: string, kind: 2 | 3 = 2, peer?: string) =>
    spanOf({
      traceId: traceId(20),
      service: name,
      name: operation,
      kind,
      attributes: attributesOf(peer === undefined ? {} : { 'server.address': peer }),
    });
  await service.insert([
    ...[at('Names', 'GET /A'), at('Names', 'get /a'), at('names', 'POST', 3, 'DB.example')],
    ...[at('names', 'POST', 3, '10.0.0.1'), at('names', 'GET', 2, 'me.example')],
    ...['n1', 'n2', 'n3'].map((name) => at(name, '')),
  ]);
  await service.insert([at('foreign', 'secret', 3, 'hidden')], 'other');
  const services = await ask('/services');
  for (const name of ['names', 'n1', 'front']) assert.ok(services.includes(name), name);
  assert.ok(!services.includes('Names') && !services.includes('foreign'));
  assert.deepEqual(services, [...new Set(services)].sort());
  assert.deepEqual(await ask('/spans?serviceName=NAMES'), ['get', 'get /a', 'post']);
  assert.deepEqual(await ask('/spans?serviceName=n1'), []);
  assert.deepEqual(await ask('/spans?serviceName=foreign'), []);
  assert.deepEqual(await ask('/remoteServices?serviceName=names'), ['db.example']);
  assert.deepEqual(await ask('/remoteServices?serviceName=front'), ['back']);
  assert.deepEqual(await ask('/autocompleteKeys'), []);
  assert.deepEqual(await ask('/autocompleteValues?key=zone'), []);
  const cache = async (path: string) =>
    (await service.get(API + path)).headers.get('cache-control');
  assert.equal(await cache('/services'), 'max-age=300, must-revalidate');
  assert.equal(await cache('/spans?serviceName=n1'), null);
});

test('each thing that is asked for may be met by another span of the service', async () => {
  const base = { service: 'Search', traceId: traceId(30) };
  await service.insert([
    spanOf({
      ...base,
      name: 'Root',
      durationNanos: 5n * SECOND,
      attributes: attributesOf({ a: 'x' }),
    }),
    spanOf({
      ...base,
      name: 'Child',
      kind: 3,
      attributes: attributesOf({ b: 7n, 'peer.service': 'Db' }),
    }),
    spanOf({
      ...base,
      name: 'Third',
      events: [eventOf('cached')],
      statusCode: 2,
      statusMessage: 'bad day',
    }),
    spanOf({ ...base, service: 'elsewhere', attributes: attributesOf({ c: 'only here' }) }),
    // Meets one thing at a time only.
    spanOf({ ...base, traceId: traceId(31), name: 'Root', attributes: attributesOf({ a: 'x' }) }),
  ]);
  const found = async (query: string) =>
    ids(await ask(`/traces?serviceName=search&${query}`)).sort();
  const [both, one] = [[traceId(30), traceId(31)], [traceId(30)]];
  assert.deepEqual(await found(''), both);
  assert.deepEqual(await found('spanName=root'), both);
  assert.deepEqual(await found('spanName=all'), both);
  assert.deepEqual(await found('spanName=child'), one);
  assert.deepEqual(await found('annotationQuery=a=x'), both);
  assert.deepEqual(await found('annotationQuery=a%3Dx%20and%20b%3D7'), one);
  assert.deepEqual(await found('annotationQuery=a%3Dx%20and%20cached%20and%20error'), one);
  assert.deepEqual(await found('annotationQuery=error%3Dbad%20day'), one);
  assert.deepEqual(await found('annotationQuery=b'), one);
  assert.deepEqual(await found('annotationQuery=nothing'), []);
  assert.deepEqual(await found('annotationQuery=c'), []);
  assert.deepEqual(await found('remoteServiceName=db&spanName=root'), one);
  assert.deepEqual(await found('remoteServiceName=no'), []);
  assert.deepEqual(await found('minDuration=5000000&annotationQuery=b'), one);
  assert.deepEqual(await found('minDuration=5000001'), []);
  assert.deepEqual(await found('minDuration=1000&maxDuration=1000'), both);
  assert.deepEqual(await found('minDuration=2000&maxDuration=4999999'), []);
  const anywhere = ids(await ask('/traces?annotationQuery=c%3Donly%20here'));
  assert.deepEqual(anywhere, one);
  const spans = (await ask('/traces?serviceName=search&spanName=child'))[0] as V2Span[];
  assert.equal(spans.length, 4, 'the whole trace is shown');
});

test('the newest traces that began in the window are found, newest first', async () => {
  const names = { service: 'newest', name: 'op' };
  await service.insert(
    Array.from({ length: 15 }, (_, i) =>
      spanOf({ ...names, traceId: traceId(100 + i), startUnixNanos: NOON - BigInt(i) * MINUTE }),
    ),
  );
  // Began before the window, and goes on in it.
  await service.insert([
    spanOf({ ...names, traceId: traceId(120), startUnixNanos: NOON - 30n * MINUTE }),
    spanOf({ ...names, traceId: traceId(120), startUnixNanos: NOON - MINUTE }),
  ]);
  const end = Number(NOON / 1_000_000n);
  const window = `serviceName=newest&endTs=${end}&lookback=900000`;
  const expected = Array.from({ length: 15 }, (_, i) => traceId(100 + i));
  assert.deepEqual(ids(await ask(`/traces?${window}`)), expected.slice(0, 10));
  assert.deepEqual(ids(await ask(`/traces?${window}&limit=100`)), expected);
  assert.deepEqual(ids(await ask(`/traces?${window}&limit=100&spanName=op`)), expected);
  const edge = `serviceName=newest&endTs=${end}&lookback=60000&limit=100`;
  assert.deepEqual(ids(await ask(`/traces?${edge}`)), expected.slice(0, 2));
  assert.deepEqual(await other(`/traces?${window}`), []);
});

test('several traces are had at once, and those that are not there are left out', async () => {
  await service.insert([40, 41].map((n) => spanOf({ traceId: traceId(n), service: 'many' })));
  await service.insert([spanOf({ traceId: traceId(42), service: 'many' })], 'other');
  const path = `/traceMany?traceIds=${[40, 41, 42].map(traceId).join(',')}`;
  assert.deepEqual(ids(await ask(path)), [traceId(40), traceId(41)]);
  assert.deepEqual(ids(await other(path)), [traceId(42)]);
});

test('two tenants that share trace ids and names each see their own', async () => {
  const shared = { traceId: traceId(50), service: 'both' };
  await service.insert([spanOf({ ...shared, name: 'mine' })]);
  await service.insert([spanOf({ ...shared, name: 'theirs' })], 'other');
  for (const path of [`/trace/${traceId(50)}`, '/traces?serviceName=both']) {
    const [mine, theirs] = [await ask(path), await other(path)].map((one) => one.flat());
    assert.deepEqual(
      mine?.map((span: V2Span) => span.name),
      ['mine'],
      path,
    );
    assert.deepEqual(
      theirs?.map((span: V2Span) => span.name),
      ['theirs'],
      path,
    );
  }
  assert.deepEqual(await other('/spans?serviceName=both'), ['theirs']);
});

test('links between services are counted once, with errors', async () => {
  const at = (n: number, parent: string, name: string, kind: 2 | 3, parts = {}) =>
    spanOf({
      traceId: traceId(60),
      spanId: `${n}`.padStart(16, '0'),
      parentSpanId: parent === '' ? '' : parent.padStart(16, '0'),
      service: name,
      kind,
      startUnixNanos: NOON - 5n * 1440n * MINUTE,
      ...parts,
    });
  const db = { attributes: attributesOf({ 'peer.service': 'Db' }), statusCode: 2 as const };
  const spans = [
    ...[at(1, '', 'L-front', 2), at(2, '1', 'L-front', 3), at(3, '2', 'L-back', 2)],
    at(4, '3', 'L-back', 3, db),
  ];
  await service.insert(spans);
  await service.insert(spans);
  const end = Number((NOON - 5n * 1440n * MINUTE) / 1_000_000n) + 60_000;
  const path = `/dependencies?endTs=${end}&lookback=120000`;
  assert.deepEqual(await ask(path), [
    { parent: 'l-back', child: 'db', callCount: 1, errorCount: 1 },
    { parent: 'l-front', child: 'l-back', callCount: 1 },
  ]);
  assert.deepEqual(await other(path), []);
});

test('a bad question is answered in the words of Zipkin', async () => {
  const cases: readonly [path: string, message: string | RegExp][] = [
    ['/spans', 'Mandatory parameter/header is missing: serviceName'],
    ['/remoteServices', 'Mandatory parameter/header is missing: serviceName'],
    ['/autocompleteValues', 'Mandatory parameter/header is missing: key'],
    ['/dependencies', 'Mandatory parameter/header is missing: endTs'],
    ['/dependencies?endTs=0', 'endTs <= 0'],
    ['/dependencies?endTs=1&lookback=0', 'lookback <= 0'],
    ['/traces?endTs=-1', 'endTs <= 0'],
    ['/traces?lookback=-1', 'lookback <= 0'],
    ['/traces?limit=0', 'limit <= 0'],
    ['/traces?limit=-1', 'limit <= 0'],
    ['/traces?limit=1000000000', /^limit > 1500/],
    ['/traces?limit=abc', 'For input string: "abc"'],
    ['/traces?limit=99999999999999999999', /^For input string/],
    ['/traces?endTs=1h', 'For input string: "1h"'],
    ['/traces?minDuration=0', 'minDuration <= 0'],
    ['/traces?maxDuration=5', 'maxDuration is only valid with minDuration'],
    ['/traces?minDuration=6&maxDuration=5', 'maxDuration < minDuration'],
    [`/traces?serviceName=${'x'.repeat(1025)}`, /^serviceName has 1025 characters/],
    [`/traces?annotationQuery=${'a%20and%20'.repeat(40)}b`, /^annotationQuery has 41 terms/],
    [`/traces?annotationQuery=${'k'.repeat(1025)}`, /^annotationQuery has a key/],
    [`/traces?annotationQuery=k=${'v'.repeat(4097)}`, /^annotationQuery has a value/],
    ['/trace/0e8b46e1-81b', '0e8b46e1-81b should be lower-hex encoded with no prefix'],
    ['/trace/ABC', 'ABC should be lower-hex encoded with no prefix'],
    [`/trace/${'a'.repeat(33)}`, 'traceId.length > 32'],
    ['/trace/0000', 'traceId is all zeros'],
    ['/traceMany', 'Mandatory parameter/header is missing: traceIds'],
    ['/traceMany?traceIds=', 'traceIds parameter is empty'],
    ['/traceMany?traceIds=a', 'Use /api/v2/trace/{traceId} endpoint to retrieve a single trace'],
    ['/traceMany?traceIds=a,b,a', 'redundant traceId: a'],
    ['/traceMany?traceIds=a,%27', "' should be lower-hex encoded with no prefix"],
  ];
  for (const [path, message] of cases) {
    const answer = await service.get(API + path);
    assert.equal(answer.status, 400, path);
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/);
    if (typeof message === 'string') assert.equal(answer.text, message);
    else assert.match(answer.text, message);
  }
});

test('the largest times and durations that a client can write are windows, too', async () => {
  await service.insert([spanOf({ traceId: traceId(90), service: 'extreme' })]);
  const max = '9223372036854775807';
  const found = async (query: string) => ids(await ask(`/traces?serviceName=extreme&${query}`));
  assert.deepEqual(await found(`endTs=${max}&lookback=${max}`), [traceId(90)]);
  assert.deepEqual(await found(`endTs=${max}&lookback=1`), []);
  assert.deepEqual(await found('endTs=1&lookback=1'), []);
  assert.deepEqual(await found(`minDuration=1&maxDuration=${max}`), [traceId(90)]);
  assert.deepEqual(await found(`minDuration=${max}`), []);
  assert.ok(Array.isArray(await ask(`/dependencies?endTs=${max}&lookback=${max}`)));
});

test('SQL in any field is a name that nobody has', async () => {
  const evil = encodeURIComponent(`x' OR 1=1) -- {tenant:String} \\'`);
  const fields = ['serviceName', 'spanName', 'remoteServiceName', 'annotationQuery'];
  for (const field of fields) assert.deepEqual(await ask(`/traces?${field}=${evil}`), [], field);
  assert.deepEqual(await ask(`/spans?serviceName=${evil}`), []);
  assert.deepEqual(await ask(`/remoteServices?serviceName=${evil}`), []);
  assert.equal((await service.get(`${API}/trace/${evil}`)).status, 400);
});

test('databases and brokers that OpenTelemetry names are nodes', async () => {
  const day = 9n * 1440n * MINUTE;
  await service.insert([
    spanOf({
      ...{ traceId: traceId(80), service: 'o-shop', kind: 3, startUnixNanos: NOON - day },
      attributes: attributesOf({ 'server.address': 'db.internal', 'db.system': 'postgresql' }),
    }),
    spanOf({
      ...{ traceId: traceId(81), service: 'o-shop', kind: 4, startUnixNanos: NOON - day },
      attributes: attributesOf({ 'server.address': '10.1.1.1', 'peer.hostname': 'broker' }),
    }),
  ]);
  const end = Number((NOON - day) / 1_000_000n) + 60_000;
  assert.deepEqual(await ask(`/dependencies?endTs=${end}&lookback=120000`), [
    { parent: 'o-shop', child: 'broker', callCount: 1 },
    { parent: 'o-shop', child: 'db.internal', callCount: 1 },
  ]);
  assert.deepEqual(await ask('/remoteServices?serviceName=o-shop'), ['broker', 'db.internal']);
  const found = async (remote: string) => {
    const window = `endTs=${end}&lookback=120000`;
    return ids(await ask(`/traces?serviceName=o-shop&remoteServiceName=${remote}&${window}`));
  };
  assert.deepEqual(await found('DB.internal'), [traceId(80)]);
  assert.deepEqual(await found('broker'), [traceId(81)]);
  assert.deepEqual(await found('10.1.1.1'), []);
});

test('what other protocols sent is shown as OpenTelemetry maps it', async () => {
  const resource = resourceOf('Otel', { zone: 'b' });
  await service.insert([
    spanOf({ traceId: traceId(70), service: 'Otel', resource, statusCode: 2, kind: 1 }),
  ]);
  const [span] = await ask(`/trace/${traceId(70)}`);
  assert.deepEqual(span.tags, { error: '', 'otel.status_code': 'ERROR', zone: 'b' });
  assert.equal(span.kind, undefined);
  assert.deepEqual(span.localEndpoint, { serviceName: 'otel' });
  const found = ids(await ask('/traces?serviceName=otel&annotationQuery=zone%3Db%20and%20error'));
  assert.deepEqual(found, [traceId(70)]);
});
