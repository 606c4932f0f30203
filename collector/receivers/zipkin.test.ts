import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { spansOf } from '../../model/codec/zipkin/testing/spans_of.ts';
import { MemoryBudget } from '../../service/memory_budget.ts';
import { RefusalError } from '../../service/refusal.ts';
import type { Accept, Batch } from '../batch.ts';
import { JsonWorker } from '../json_worker.ts';
import { checkingAccept, framed, type GrpcAnswer } from './testing/rig.ts';
import { startZipkin } from './zipkin.ts';

interface Rig extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly batches: Batch[];
  readonly bugs: unknown[];
  readonly outcomes: string[];
  readonly budget: MemoryBudget;
}

async function startRig(accept?: Accept, requestBytesMax = 64 * 1024 * 1024): Promise<Rig> {
  const batches: Batch[] = [];
  const bugs: unknown[] = [];
  const outcomes: string[] = [];
  const budget = new MemoryBudget(512 * 1024 * 1024);
  const json = new JsonWorker();
  const listener = await startZipkin(
    {
      accept: accept ?? checkingAccept(batches),
      budget,
      json,
      requestBytesMax,
      metrics: {
        request: (receiver, outcome) => void outcomes.push(`${receiver} ${outcome}`),
        receivedBytes: () => undefined,
      },
      onBug: (error) => void bugs.push(error),
    },
    { host: '127.0.0.1', port: 0, setting: 'test' },
  );
  return {
    url: `http://127.0.0.1:${listener.port}`,
    port: listener.port,
    batches,
    bugs,
    outcomes,
    budget,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([listener.stop(100), json.stop()]);
    },
  };
}

const SPAN = { traceId: '000000000000000a', id: '000000000000000b', name: 'Get', timestamp: 1 };
const JSON_V2 = Buffer.from(JSON.stringify([SPAN]));
const JSON_V1 = Buffer.from(JSON.stringify([{ ...SPAN, binaryAnnotations: [] }]));
const TESTDATA = new URL('../../model/codec/zipkin/testdata/', import.meta.url);
const PROTO3 = readFileSync(new URL('zipkin-go-proto.1.bin', TESTDATA));
const THRIFT = readFileSync(new URL('py-zipkin-v1_thrift.1.bin', TESTDATA));

const V1 = '/api/v1/spans';
const V2 = '/api/v2/spans';

function post(
  rig: Rig,
  body: Buffer,
  path = V2,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(rig.url + path, { method: 'POST', body: new Uint8Array(body), headers });
}

function names(rig: Rig): string[] {
  return rig.batches.flatMap((batch) => spansOf(batch.bytes).map((span) => span.name)).sort();
}

test('every format is taken by its bytes, whatever the content type says, and answered 202', async () => {
  const cases: [Buffer, string, string[]][] = [
    [JSON_V2, V2, ['Get']],
    [JSON_V1, V1, ['Get']],
    [PROTO3, V2, ['GET /checkout', 'charge']],
    [THRIFT, V1, ['GET /checkout', 'charge']],
    [JSON_V2, '//api/v2/spans/', ['Get']],
  ];
  for (const [body, path, expected] of cases) {
    for (const type of ['application/json', 'application/x-protobuf', 'application/x-thrift', '']) {
      await using rig = await startRig();
      const response = await post(rig, body, path, type === '' ? {} : { 'content-type': type });
      assert.equal(response.status, 202, await response.text());
      assert.deepEqual(names(rig), expected);
      assert.equal(rig.budget.usedBytes, 0);
      assert.deepEqual(rig.outcomes, ['zipkin_http ok']);
    }
  }
});

test('gzip, deflate and zstd are undone', async () => {
  for (const [encoding, body] of [
    ['gzip', gzipSync(JSON_V2)],
    ['deflate', deflateSync(JSON_V2)],
    ['zstd', zstdCompressSync(JSON_V2)],
  ] as const) {
    await using rig = await startRig();
    const response = await post(rig, body, V2, { 'content-encoding': encoding });
    assert.equal(response.status, 202, encoding);
    assert.deepEqual(names(rig), ['Get']);
  }
});

test('empty bodies and empty lists are fine, and nothing is accepted for them', async () => {
  await using rig = await startRig();
  const thrift = Buffer.from('0c00000000', 'hex');
  for (const body of [Buffer.alloc(0), Buffer.from('[]'), Buffer.from(' [ ]\r\n'), thrift]) {
    assert.equal((await post(rig, body)).status, 202);
    assert.equal((await post(rig, gzipSync(body), V1, { 'content-encoding': 'gzip' })).status, 202);
  }
  assert.equal(rig.batches.length, 0);
});

test('what cannot be decoded is a 400 with the sentence that Zipkin users know', async () => {
  const upper = JSON.stringify([{ ...SPAN, traceId: '48485A3953BB6124' }]);
  const cases: [string, string, string][] = [
    ['{}', V2, 'Expected a JSON_V2 encoded list\n'],
    ['{}', V1, 'Expected a JSON_V1 encoded list\n'],
    ['hello', V2, 'Could not detect the span format\n'],
    [String(JSON_V1), V2, 'Expected a JSON_V2 encoded list, but received: JSON_V1\n'],
    ['[{"tags":{}}]', V1, 'Expected a JSON_V1 encoded list, but received: JSON_V2\n'],
    [
      upper,
      V2,
      '48485A3953BB6124 should be lower-hex encoded with no prefix reading List<Span> from json\n',
    ],
  ];
  for (const [body, path, message] of cases) {
    await using rig = await startRig();
    const response = await post(rig, Buffer.from(body), path);
    assert.equal(response.status, 400);
    assert.equal(await response.text(), message);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
    assert.deepEqual([rig.bugs, rig.batches], [[], []]);
    assert.equal(rig.budget.usedBytes, 0);
  }
});

test('bodies cut at every byte are refused or hold fewer spans, and never hurt', async () => {
  await using rig = await startRig();
  for (const [body, path] of [
    [JSON_V2, V2],
    [PROTO3, V2],
    [THRIFT, V1],
    [JSON_V1, V1],
  ] as const) {
    for (let length = 1; length < body.length; length++) {
      const { status } = await post(rig, body.subarray(0, length), path);
      assert.ok(status === 400 || status === 202, String(status));
    }
  }
  assert.deepEqual(rig.bugs, []);
  assert.equal(rig.budget.usedBytes, 0);
});

test('bombs and large bodies are a 413, other paths and methods a 404 and 405', async () => {
  await using rig = await startRig(undefined, 100_000);
  const bomb = gzipSync(Buffer.alloc(10_000_000, ' '));
  assert.equal((await post(rig, bomb, V2, { 'content-encoding': 'gzip' })).status, 413);
  assert.equal((await post(rig, Buffer.alloc(100_001, '['))).status, 413);
  assert.equal((await post(rig, JSON_V2, V2, { 'content-encoding': 'br' })).status, 415);
  assert.equal((await post(rig, JSON_V2, '/api/v3/spans')).status, 404);
  assert.equal((await fetch(rig.url + V2)).status, 405);
  assert.equal((await fetch(`${rig.url}/health`)).status, 200);
  assert.equal((await fetch(`${rig.url}/info`)).status, 200);
});

test('a refusal of the store is passed on, and 202 waits for its yes', async () => {
  let release: () => void = () => undefined;
  const stored = new Promise<void>((resolve) => {
    release = resolve;
  });
  let answered = false;
  {
    await using rig = await startRig(async () => {
      await stored;
      return { spans: 1, rejected: 0, message: '' };
    });
    const response = post(rig, JSON_V2).then((answer) => {
      answered = true;
      return answer;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(answered, false);
    release();
    assert.equal((await response).status, 202);
  }
  await using rig = await startRig(() => {
    const refusal = { code: 'unavailable', message: 'down', retryAfterMs: 1500 } as const;
    return Promise.reject(new RefusalError(refusal));
  });
  const response = await post(rig, JSON_V2);
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('retry-after'), '2');
});

test('a body of megabytes is translated beside the event loop', async () => {
  await using rig = await startRig();
  const spans = Array.from({ length: 30_000 }, (_, i) => ({ ...SPAN, id: (i + 1).toString(16) }));
  const response = await post(rig, Buffer.from(JSON.stringify(spans)));
  assert.equal(response.status, 202);
  assert.equal(names(rig).length, 30_000);
});

const REPORT = '/zipkin.proto3.SpanService/Report';

function report(session: ClientHttp2Session, message: Uint8Array, path = REPORT) {
  return new Promise<GrpcAnswer>((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let code = -1;
    let details = '';
    const data: Buffer[] = [];
    const read = (headers: Record<string, unknown>): void => {
      if (headers['grpc-status'] === undefined) return;
      code = Number(headers['grpc-status']);
      details = decodeURIComponent(String(headers['grpc-message'] ?? ''));
    };
    stream.on('response', read).on('trailers', read);
    stream.on('data', (chunk: Buffer) => data.push(chunk));
    stream.on('error', () => undefined);
    stream.on('close', () => {
      resolve({ code, details, statusBytes: undefined, data: Buffer.concat(data) });
    });
    stream.end(framed(message));
  });
}

test('gRPC Report is served on the same port, beside HTTP/1.1', async () => {
  await using rig = await startRig();
  const session = connect(rig.url);
  session.on('error', () => undefined);
  try {
    const [grpc, http] = await Promise.all([report(session, PROTO3), post(rig, JSON_V2)]);
    assert.deepEqual([grpc.code, http.status], [0, 202], grpc.details);
    assert.deepEqual([...grpc.data], [0, 0, 0, 0, 0]);
    assert.deepEqual(names(rig), ['GET /checkout', 'Get', 'charge']);
    assert.equal((await report(session, Buffer.alloc(0))).code, 0);
    const broken = await report(session, PROTO3.subarray(0, 20));
    assert.equal(broken.code, 3);
    assert.match(broken.details, /^Truncated: length \d+ > bytes available \d+ reading/);
    assert.equal((await report(session, PROTO3, '/zipkin.proto3.SpanService/Nothing')).code, 12);
    assert.deepEqual(rig.bugs, []);
  } finally {
    session.destroy();
  }
});

/** Sends pieces with pauses; resolves with all that came back when the server closes. */
function tcp(port: number, pieces: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += String(chunk);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
    void (async () => {
      for (const piece of pieces) {
        socket.write(piece);
        await new Promise((next) => setTimeout(next, 20));
      }
    })();
  });
}

test('the first bytes decide also when they come one by one', async () => {
  await using rig = await startRig();
  const request = `OST ${V2} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 2`;
  assert.match(await tcp(rig.port, ['P', request, '\r\n\r\n[', ']']), /^HTTP\/1.1 202/);
  assert.match(
    await tcp(rig.port, [
      'PR',
      'OPFIND / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n',
    ]),
    /^HTTP\/1.1 40[04]/,
  );
  assert.match(await tcp(rig.port, ['\u0000\u0001garbage']), /^HTTP\/1.1 40[04]/);
  assert.equal((await post(rig, JSON_V2)).status, 202);
});

test('stopping closes connections that have not said what they are', async () => {
  const rig = await startRig();
  const silent = tcp(rig.port, ['P']);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await rig[Symbol.asyncDispose]();
  assert.equal(await silent, '');
});
