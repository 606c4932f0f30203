// What is no Jaeger batch, at each port: refused in Jaeger's words, and nothing else suffers.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { shownSpans } from '../../model/codec/jaeger/testing/from_otlp.ts';
import {
  batchValue,
  encodePostSpans,
  encodeThriftBatch,
} from '../../model/codec/jaeger/testing/jaeger_span.ts';
import { field, varintField } from '../../model/codec/otlp/testing/wire_bytes.ts';
import { loadTranscoder } from '../../model/codec/otlp/transcoder.ts';
import { encodeMessage } from '../../model/codec/thrift/testing/thrift_encoder.ts';
import { RefusalError } from '../../service/refusal.ts';
import type { Accept } from '../batch.ts';
import { BATCH } from './testing/datagrams.ts';
import { type JaegerRig, startJaegerRig } from './testing/jaeger_rig.ts';
import { call, framed, type GrpcAnswer } from './testing/rig.ts';

const THRIFT = encodeThriftBatch(BATCH, 'strict');
const COMPACT = encodeThriftBatch(BATCH, 'compact');
const PROTO = Buffer.from(encodePostSpans(BATCH));

const MILLION = 1_000_000;

const POST_SPANS = '/jaeger.api_v2.CollectorService/PostSpans';

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | null;
}

async function send(rig: JaegerRig, sent: Sent): Promise<readonly [number, string]> {
  const response = await fetch(`http://127.0.0.1:${rig.httpPort}${sent.path ?? '/api/traces'}`, {
    method: sent.method ?? 'POST',
    headers: sent.headers ?? { 'content-type': 'application/x-thrift' },
    body: sent.body === undefined ? new Uint8Array(THRIFT) : sent.body,
  });
  return [response.status, await response.text()];
}

async function post(rig: JaegerRig, message: Uint8Array, compressed = false): Promise<GrpcAnswer> {
  const session = connect(`http://127.0.0.1:${rig.grpc.port}`);
  const headers = { ':path': POST_SPANS, ...(compressed ? { 'grpc-encoding': 'gzip' } : {}) };
  const answer = await call(session, { headers, frames: [framed(message, compressed)] });
  session.destroy();
  return answer;
}

const TYPES: readonly (readonly [string, Buffer])[] = [
  ['application/x-thrift', THRIFT],
  ['application/x-thrift; charset=utf-8', THRIFT],
  ['application/x-thrift', COMPACT],
  ['application/vnd.apache.thrift.binary', THRIFT],
  ['application/vnd.apache.thrift.compact', COMPACT],
];

test('HTTP takes both protocols by every name, plain and gzipped', async () => {
  await using rig = await startJaegerRig({ udp: false });
  for (const [type, body] of TYPES) {
    const headers = { 'content-type': type };
    assert.deepEqual(await send(rig, { headers, body: new Uint8Array(body) }), [202, '']);
    const gzip = { ...headers, 'content-encoding': 'gzip' };
    const packed = new Uint8Array(gzipSync(body));
    assert.deepEqual(await send(rig, { headers: gzip, body: packed }), [202, '']);
  }
  assert.equal(rig.batches.length, TYPES.length * 2);
  for (const { bytes } of rig.batches) assert.equal(shownSpans(bytes)[0]?.service, 'shop');
});

const REFUSED: readonly (readonly [string, Sent, number, RegExp])[] = [
  ['another path', { path: '/api/v1/spans' }, 404, /POST a Batch/],
  ['another method', { method: 'PUT' }, 405, /POST only/],
  ['no content type', { headers: { 'content-type': '' } }, 400, /^Unsupported content type: /],
  ['JSON', { headers: { 'content-type': 'application/json' } }, 400, /^Unsupported content type/],
  ['no body', { body: null }, 400, /^Unable to process request body: /],
  ['cut bytes', { body: new Uint8Array(THRIFT.subarray(0, 40)) }, 400, /^Unable to process/],
  ['bytes behind', { body: new Uint8Array([...THRIFT, 0]) }, 400, /ends at byte/],
  [
    'no gzip',
    { headers: { 'content-type': 'application/x-thrift', 'content-encoding': 'gzip' } },
    400,
    /gzip/,
  ],
];

for (const [what, sent, status, message] of REFUSED) {
  test(`HTTP refuses ${what} with ${status}`, async () => {
    await using rig = await startJaegerRig({ udp: false });
    const answer = await send(rig, sent);
    assert.equal(answer[0], status);
    assert.match(answer[1], message);
    assert.deepEqual([rig.batches, rig.bugs], [[], []]);
    assert.equal(rig.budget.usedBytes, 0);
  });
}

test('HTTP refuses what is longer than the limit, also when it was packed', async () => {
  await using rig = await startJaegerRig({ udp: false, requestBytesMax: 100 });
  const headers = { 'content-type': 'application/x-thrift', 'content-encoding': 'gzip' };
  assert.equal((await send(rig, {}))[0], 413);
  const bomb = new Uint8Array(gzipSync(Buffer.alloc(10_000)));
  assert.equal((await send(rig, { headers, body: bomb }))[0], 413);
});

test('a store that is away is said in Jaeger’s words, and to be tried again', async () => {
  const refusal = { code: 'unavailable', message: 'no store', retryAfterMs: 1500 } as const;
  const accept = () => Promise.reject(new RefusalError(refusal));
  await using rig = await startJaegerRig({ udp: false, accept });
  assert.deepEqual(await send(rig, {}), [503, 'Cannot submit Jaeger batch: no store\n']);
  assert.equal((await post(rig, PROTO)).code, 14);
});

test('gRPC takes a batch, plain and gzipped, and an empty one', async () => {
  await using rig = await startJaegerRig({ udp: false });
  assert.equal((await post(rig, PROTO)).code, 0);
  assert.equal((await post(rig, gzipSync(PROTO), true)).code, 0);
  assert.equal((await post(rig, new Uint8Array(0))).code, 0);
  assert.equal(rig.batches.length, 3);
});

test('gRPC refuses a batch cut at any byte, or takes it for a shorter one', async () => {
  await using rig = await startJaegerRig({ udp: false });
  const session = connect(`http://127.0.0.1:${rig.grpc.port}`);
  for (let length = 1; length < PROTO.length; length++) {
    const frames = [framed(PROTO.subarray(0, length))];
    const { code } = await call(session, { headers: { ':path': POST_SPANS }, frames });
    assert.equal(code, 3, `${length} bytes`);
  }
  session.destroy();
  assert.deepEqual([rig.batches, rig.bugs], [[], []]);
});

test('HTTP refuses a batch cut at any byte, in either protocol', async () => {
  await using rig = await startJaegerRig({ udp: false });
  for (const [type, body] of TYPES.slice(3)) {
    for (let length = 0; length < body.length; length++) {
      const cut = new Uint8Array(body.subarray(0, length));
      const answer = await send(rig, { headers: { 'content-type': type }, body: cut });
      assert.equal(answer[0], 400, `${type}, ${length} bytes`);
    }
  }
  assert.deepEqual([rig.batches, rig.bugs, rig.budget.usedBytes], [[], [], 0]);
});

test('a span of a million tags is rejected for its size, its neighbour is not', async () => {
  const transcoder = await loadTranscoder();
  const counted: (readonly [kept: number, tooLarge: number])[] = [];
  const accept: Accept = ({ bytes }) => {
    const checked = transcoder.check(bytes, 1_795_398_050_000_000_000n, 1e9);
    assert.ok(checked.ok);
    const { spans, rejected } = checked;
    counted.push([spans, rejected.span_too_large]);
    return Promise.resolve({ spans, rejected: rejected.span_too_large, message: '' });
  };
  await using rig = await startJaegerRig({ udp: false, accept });
  const millionTags = Buffer.alloc(8 * MILLION, field(8, field(1, 'k'), field(3, 'v')));
  const start = field(6, varintField(1, 1_795_398_050));
  const rest = [field(1, Buffer.alloc(16, 1)), field(2, Buffer.alloc(8, 2)), start];
  const both = field(1, field(1, ...rest, millionTags), field(1, ...rest));
  assert.equal((await post(rig, both)).code, 0);
  assert.deepEqual(counted, [[1, 1]]);
  assert.deepEqual([rig.outcomes, rig.bugs, rig.budget.usedBytes], [['partial'], [], 0]);
});

test('one span with an id of the wrong length is rejected, its neighbours are not', async () => {
  await using rig = await startJaegerRig({ udp: false });
  const [span] = BATCH.spans;
  assert.ok(span !== undefined);
  const spans = [span, { ...span, traceId: 'abcd' }, { ...span, spanId: '00' }];
  assert.equal((await post(rig, encodePostSpans({ ...BATCH, spans }))).code, 0);
  assert.deepEqual(rig.outcomes, ['partial']);
});

const DATAGRAMS: readonly (readonly [string, Buffer, string])[] = [
  ['nothing', Buffer.alloc(0), 'malformed'],
  ['garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'malformed'],
  ['another method', encodeMessage('emitSpans', 1, [], 'compact'), 'malformed'],
  ['an answer', encodeMessage('emitBatch', 2, [[1, batchValue(BATCH)]], 'compact'), 'malformed'],
  ['no batch', encodeMessage('emitBatch', 4, [], 'strict'), 'malformed'],
  ['a compact call', encodeMessage('emitBatch', 1, [[1, batchValue(BATCH)]], 'compact'), 'ok'],
  ['a compact oneway', encodeMessage('emitBatch', 4, [[1, batchValue(BATCH)]], 'compact'), 'ok'],
  ['a binary call', encodeMessage('emitBatch', 1, [[1, batchValue(BATCH)]], 'strict'), 'ok'],
  ['an old binary oneway', encodeMessage('emitBatch', 4, [[1, batchValue(BATCH)]], 'old'), 'ok'],
  ['Zipkin spans', encodeMessage('emitZipkinBatch', 4, [[1, zipkinList()]], 'strict'), 'ok'],
];

function zipkinList() {
  const fields = [
    [1, { type: 'i64', value: 7n }],
    [3, { type: 'string', value: 'get' }],
    [4, { type: 'i64', value: 8n }],
    [10, { type: 'i64', value: 1_795_398_050_217_427n }],
    [11, { type: 'i64', value: 5n }],
  ] as const;
  const values = [{ type: 'struct', fields } as const];
  return { type: 'list', element: 'struct', values } as const;
}

test('UDP counts every datagram by what became of it', async () => {
  await using rig = await startJaegerRig();
  const expected = new Map<string, number>();
  const socket = createSocket('udp4');
  for (const [, datagram, outcome] of DATAGRAMS) {
    expected.set(outcome, (expected.get(outcome) ?? 0) + 1);
    await new Promise((resolve) => socket.send(datagram, rig.udpPort, '127.0.0.1', resolve));
  }
  socket.close();
  await once(socket, 'close');
  const total = () => [...rig.datagrams.values()].reduce((sum, count) => sum + count, 0);
  for (let waited = 0; waited < 500 && total() < DATAGRAMS.length; waited++) await sleep(10);
  assert.deepEqual(Object.fromEntries(rig.datagrams), Object.fromEntries(expected));
  const spans = rig.batches.flatMap(({ bytes }) => shownSpans(bytes));
  assert.equal(spans.length, expected.get('ok'));
  assert.deepEqual(rig.bugs, []);
  assert.equal(rig.budget.usedBytes, 0);
});

test('UDP counts a datagram cut at any byte as malformed, and takes the whole one', async () => {
  await using rig = await startJaegerRig();
  const socket = createSocket('udp4');
  const send = (bytes: Uint8Array) =>
    new Promise((resolve) => socket.send(bytes, rig.udpPort, '127.0.0.1', resolve));
  let cuts = 0;
  for (const protocol of ['compact', 'strict'] as const) {
    const datagram = encodeMessage('emitBatch', 4, [[1, batchValue(BATCH)]], protocol);
    for (let length = 0; length < datagram.length - 1; length++) {
      await send(datagram.subarray(0, length));
      cuts++;
    }
    await send(datagram);
  }
  socket.close();
  const isDone = () => rig.datagrams.get('ok') === 2 && rig.datagrams.get('malformed') === cuts;
  for (let waited = 0; waited < 1000 && !isDone(); waited++) await sleep(10);
  assert.deepEqual(Object.fromEntries(rig.datagrams), { malformed: cuts, ok: 2 });
  assert.deepEqual(rig.bugs, []);
});

test('UDP drops and counts what the memory has no room for', async () => {
  await using rig = await startJaegerRig({ memoryBytes: 100 });
  const socket = createSocket('udp4');
  const datagram = encodeMessage('emitBatch', 4, [[1, batchValue(BATCH)]], 'compact');
  await new Promise((resolve) => socket.send(datagram, rig.udpPort, '127.0.0.1', resolve));
  socket.close();
  for (let waited = 0; waited < 500 && rig.datagrams.size === 0; waited++) await sleep(10);
  assert.deepEqual([...rig.datagrams], [['full', 1]]);
});
