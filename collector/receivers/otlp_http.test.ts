import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import {
  decodeStatus,
  plain,
  RequestType,
  ResponseType,
} from '../../model/codec/otlp/testing/proto_root.ts';
import { REFUSAL_WIRE, type RefusalCode, RefusalError } from '../../service/refusal.ts';
import { JSON_TYPE, PROTOBUF, post, type Rig, startRig } from './testing/rig.ts';

const SPAN = {
  traceId: '5b8efff798038103d269b633813fc60c',
  spanId: 'eee19b7ec3c1b174',
  name: 'GET /',
  startTimeUnixNano: String(BigInt(Date.now()) * 1_000_000n),
};
const JSON_BODY = requestJson([SPAN]);
const PROTO_BODY = requestProto([SPAN]);

interface JsonSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
}

function requestJson(spans: readonly JsonSpan[]): string {
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
}

function requestProto(spans: readonly JsonSpan[]): Buffer {
  const asBytes = spans.map((span) => ({
    ...span,
    traceId: Buffer.from(span.traceId, 'hex'),
    spanId: Buffer.from(span.spanId, 'hex'),
  }));
  const request = { resourceSpans: [{ scopeSpans: [{ spans: asBytes }] }] };
  return Buffer.from(RequestType.encode(RequestType.fromObject(request)).finish());
}

function delivered(rig: Rig): unknown {
  const request = plain(RequestType, rig.batches[0]?.bytes ?? new Uint8Array(0)) as {
    resourceSpans: { scopeSpans: { spans: { name: string }[] }[] }[];
  };
  return request.resourceSpans[0]?.scopeSpans[0]?.spans.map((span) => span.name);
}

test('protobuf and JSON arrive as the same bytes, and are answered in their own encoding', async () => {
  await using rig = await startRig();
  const proto = await post(rig, { headers: PROTOBUF, body: PROTO_BODY });
  assert.equal(proto.status, 200);
  assert.equal(proto.headers.get('content-type'), 'application/x-protobuf');
  assert.equal((await proto.arrayBuffer()).byteLength, 0);
  const json = await post(rig, { headers: JSON_TYPE, body: JSON_BODY });
  assert.equal(json.status, 200);
  assert.equal(json.headers.get('content-type'), 'application/json');
  assert.equal(await json.text(), '{}');
  assert.deepEqual(
    rig.batches.map((batch) => batch.receiver),
    ['otlp_http', 'otlp_http'],
  );
  assert.deepEqual([...(rig.batches[1]?.bytes ?? [])], [...(rig.batches[0]?.bytes ?? [])]);
  assert.equal(rig.budget.usedBytes, 0);
});

test('every content encoding is undone, bare deflate too', async () => {
  const encodings: [string, Uint8Array][] = [
    ['identity', PROTO_BODY],
    ['gzip', gzipSync(PROTO_BODY)],
    ['GZIP', gzipSync(PROTO_BODY)],
    ['deflate', deflateSync(PROTO_BODY)],
    ['deflate', deflateRawSync(PROTO_BODY)],
    ['zstd', zstdCompressSync(PROTO_BODY)],
  ];
  for (const [encoding, body] of encodings) {
    await using rig = await startRig();
    const headers = { ...PROTOBUF, 'content-encoding': encoding };
    const response = await post(rig, { headers, body: Buffer.from(body) });
    assert.equal(response.status, 200, encoding);
    assert.deepEqual(delivered(rig), ['GET /'], encoding);
    assert.equal(rig.budget.usedBytes, 0, encoding);
  }
});

test('a chunked body without a length is taken', async () => {
  await using rig = await startRig();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of PROTO_BODY) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const response = await post(rig, { headers: PROTOBUF, body, duplex: 'half' } as RequestInit);
  assert.equal(response.status, 200);
  assert.deepEqual(delivered(rig), ['GET /']);
});

test('an empty body is an empty request, in either encoding and with any header', async () => {
  await using rig = await startRig();
  for (const type of [PROTOBUF, JSON_TYPE]) {
    for (const encoding of ['identity', 'gzip']) {
      const headers = { ...type, 'content-encoding': encoding };
      assert.equal((await post(rig, { headers })).status, 200);
    }
  }
  assert.deepEqual(
    rig.batches.map((batch) => batch.bytes.length),
    [0, 0, 0, 0],
  );
});

test('slashes at the end or doubled, a query, and parameters of the type change nothing', async () => {
  await using rig = await startRig();
  for (const path of ['/v1/traces/', '//v1//traces', '/v1/traces?x=1', '//v1/traces//']) {
    assert.equal(
      (await post(rig, { path, headers: PROTOBUF, body: PROTO_BODY })).status,
      200,
      path,
    );
  }
  for (const type of [
    'application/json; charset=utf-8',
    'Application/JSON',
    'application/json ;x',
  ]) {
    const headers = { 'content-type': type };
    assert.equal((await post(rig, { headers, body: JSON_BODY })).status, 200, type);
  }
});

test('spans that can never be kept are rejected in a partial success', async () => {
  await using rig = await startRig();
  const zero = { ...SPAN, traceId: '0'.repeat(32) };
  const short = { ...SPAN, spanId: 'abcd' };
  const json = await post(rig, { headers: JSON_TYPE, body: requestJson([SPAN, zero, short]) });
  assert.equal(json.status, 200);
  const { partialSuccess } = (await json.json()) as { partialSuccess: { rejectedSpans: string } };
  assert.equal(partialSuccess.rejectedSpans, '2');
  const proto = await post(rig, { headers: PROTOBUF, body: requestProto([zero, SPAN]) });
  const answer = plain(ResponseType, new Uint8Array(await proto.arrayBuffer()));
  assert.match(JSON.stringify(answer), /"rejectedSpans":"1","errorMessage":"1 spans/);
  assert.deepEqual(rig.outcomes, ['partial', 'partial']);
});

test('each refusal of accept has its status, its google.rpc.Status and its delay', async () => {
  for (const code of Object.keys(REFUSAL_WIRE) as RefusalCode[]) {
    const delay = code === 'busy' || code === 'unavailable' ? { retryAfterMs: 1200 } : {};
    const accept = async () => {
      throw new RefusalError({ code, message: `it is ${code}`, ...delay });
    };
    await using rig = await startRig({ accept });
    const proto = await post(rig, { headers: PROTOBUF, body: PROTO_BODY });
    const wire = REFUSAL_WIRE[code];
    assert.equal(proto.status, wire.http);
    assert.equal(proto.headers.get('content-type'), 'application/x-protobuf');
    assert.equal(proto.headers.get('retry-after'), 'retryAfterMs' in delay ? '2' : null);
    const status = decodeStatus(new Uint8Array(await proto.arrayBuffer()));
    assert.equal(status.code, wire.grpc);
    assert.equal(status.message, `it is ${code}`);
    assert.equal(status.retryMs, 'retryAfterMs' in delay ? 1200 : undefined);
    const json = await post(rig, { headers: JSON_TYPE, body: JSON_BODY });
    assert.equal(json.status, wire.http);
    const text = (await json.json()) as { code: number; message: string };
    assert.deepEqual([text.code, text.message], [wire.grpc, `it is ${code}`]);
    assert.deepEqual(rig.outcomes, [code, code]);
  }
});

test('a bug of ours is an INTERNAL without its details, and is told to us', async () => {
  const accept = async () => {
    throw new Error('secret: span data');
  };
  await using rig = await startRig({ accept });
  const response = await post(rig, { headers: JSON_TYPE, body: JSON_BODY });
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /secret/);
  assert.equal(rig.bugs.length, 1);
});

test('only POST is taken, and the answer says so', async () => {
  await using rig = await startRig();
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const response = await post(rig, { method, headers: PROTOBUF });
    assert.equal(response.status, 405, method);
    assert.equal(response.headers.get('allow'), 'POST');
  }
});

test('other paths are not found, however they are written', async () => {
  await using rig = await startRig();
  const paths = [
    '/',
    '/v1/metrics',
    '/v1/logs',
    '/v1/traces/x',
    '/v1/../v1/tracesx',
    '/v1/traces%00',
  ];
  for (const path of [...paths, `/${'a'.repeat(8000)}`]) {
    const response = await post(rig, { path, headers: PROTOBUF, body: PROTO_BODY });
    assert.equal(response.status, 404, path.slice(0, 40));
  }
  assert.equal(rig.batches.length, 0);
});

test('other content types and encodings, or two encodings, are unsupported', async () => {
  await using rig = await startRig();
  const types = ['', 'text/plain', 'application/protobuf', 'application/xml', 'application/jsonx'];
  for (const type of types) {
    const response = await post(rig, { headers: { 'content-type': type }, body: PROTO_BODY });
    assert.equal(response.status, 415, type);
  }
  for (const encoding of ['gzip, gzip', 'br', 'snappy', 'identity, gzip', 'gzip;q=1', 'compress']) {
    const headers = { ...PROTOBUF, 'content-encoding': encoding };
    const response = await post(rig, { headers, body: PROTO_BODY });
    assert.equal(response.status, 415, encoding);
    assert.equal(decodeStatus(new Uint8Array(await response.arrayBuffer())).code, 12);
  }
});

test('a refused request leaves its connection usable', async () => {
  await using rig = await startRig();
  const { Agent, request } = await import('node:http');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports: (number | undefined)[] = [];
  const send = (path: string) =>
    new Promise<number>((resolve, reject) => {
      const options = { port: rig.httpPort, path, method: 'POST', headers: PROTOBUF, agent };
      const outgoing = request(options, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      });
      outgoing.on('socket', (socket) => socket.once('connect', () => ports.push(socket.localPort)));
      outgoing.on('error', reject);
      outgoing.end(PROTO_BODY);
    });
  const statuses = [await send('/v1/traces'), await send('/nowhere'), await send('/v1/traces')];
  agent.destroy();
  assert.deepEqual(statuses, [200, 404, 200]);
  assert.equal(ports.length, 1);
});

test('without configured origins a preflight is refused and no answer carries CORS headers', async () => {
  await using rig = await startRig();
  const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
  const preflight = await post(rig, { method: 'OPTIONS', headers });
  assert.equal(preflight.status, 405);
  assert.equal(preflight.headers.get('access-control-allow-origin'), null);
});

test('a configured origin is echoed exactly, another one never', async () => {
  await using rig = await startRig({ corsOrigins: ['https://shop.example'] });
  const ask = (origin: string) => {
    const headers = { origin, 'access-control-request-method': 'POST' };
    return post(rig, { method: 'OPTIONS', headers });
  };
  const allowed = await ask('https://shop.example');
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://shop.example');
  assert.equal(allowed.headers.get('access-control-allow-methods'), 'POST');
  assert.equal(allowed.headers.get('access-control-allow-credentials'), null);
  for (const origin of ['https://shop.example.evil', 'http://shop.example', 'null', '*']) {
    const refused = await ask(origin);
    assert.equal(refused.status, 405, origin);
    assert.equal(refused.headers.get('access-control-allow-origin'), null);
    assert.equal(refused.headers.get('vary'), 'origin');
  }
  const headers = { ...JSON_TYPE, origin: 'https://shop.example' };
  const response = await post(rig, { headers, body: JSON_BODY });
  assert.equal(response.headers.get('access-control-allow-origin'), 'https://shop.example');
});
