import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { decodeStatus } from '../../model/codec/otlp/testing/proto_root.ts';
import { RefusalError } from '../../service/refusal.ts';
import { eventually, rawHttp } from './testing/raw_http.ts';
import { JSON_TYPE, PROTOBUF, post, type Rig, startRig } from './testing/rig.ts';

const MIB = 1024 * 1024;

const REQUEST = readFileSync(new URL('./testdata/otel-js-proto.1.bin', import.meta.url));

async function statusOf(response: Response) {
  return decodeStatus(new Uint8Array(await response.arrayBuffer()));
}

/** The receiver still answers, and holds nothing. */
async function assertWell(rig: Rig): Promise<void> {
  assert.equal((await post(rig, { headers: PROTOBUF, body: REQUEST })).status, 200);
  await eventually(() => rig.budget.usedBytes === 0);
  assert.deepEqual(rig.bugs, []);
}

test('protobuf cut off at any byte is a 400 with a google.rpc.Status', async () => {
  await using rig = await startRig();
  let refused = 0;
  for (let length = 1; length < REQUEST.length; length++) {
    const response = await post(rig, { headers: PROTOBUF, body: REQUEST.subarray(0, length) });
    const status = await statusOf(response);
    assert.equal(response.status, 400, `${length} bytes`);
    assert.equal(status.code, 3);
    assert.deepEqual(status.violations, [status.message]);
    assert.equal(response.headers.get('retry-after'), null);
    refused += 1;
  }
  assert.equal(refused, REQUEST.length - 1);
  await assertWell(rig);
});

test('JSON that is wrong, too deep or cut off is a 400 with a JSON status', async () => {
  await using rig = await startRig();
  const deep = `{"x":${'['.repeat(5_000_000)}`;
  for (const body of ['{', '[]', 'null', '{"resourceSpans":{}}', deep]) {
    const response = await post(rig, { headers: JSON_TYPE, body });
    assert.equal(response.status, 400);
    const status = (await response.json()) as { code: number; message: string };
    assert.equal(status.code, 3);
    assert.match(status.message, /JSON|resourceSpans/);
  }
  await assertWell(rig);
});

test('bombs of every encoding are refused while they inflate', async () => {
  await using rig = await startRig({ requestBytesMax: 8 * MIB, memoryBytes: 64 * MIB });
  const zeros = Buffer.alloc(64 * MIB);
  const many = (member: Buffer): Buffer => Buffer.concat(Array.from({ length: 16 }, () => member));
  const bombs: [string, Buffer][] = [
    ['gzip', many(gzipSync(zeros))],
    ['deflate', deflateSync(zeros)],
    ['zstd', many(zstdCompressSync(zeros))],
  ];
  const send = async ([encoding, body]: [string, Buffer]): Promise<void> => {
    const response = await post(rig, {
      headers: { ...PROTOBUF, 'content-encoding': encoding },
      body,
    });
    assert.equal(response.status, 413, encoding);
    const status = await statusOf(response);
    assert.equal(status.code, 8);
    assert.equal(status.retryMs, undefined);
    assert.match(status.message, /inflated body is longer than 8388608 bytes/);
  };
  for (const bomb of bombs) await send(bomb);
  // Peak of the process, in KiB: it only ever grows, so what a bomb takes shows. Most of what is
  // allowed here is garbage not yet collected; the budget above is what is in use at once.
  const peakBefore = process.resourceUsage().maxRSS;
  for (let round = 0; round < 3; round++) await Promise.all(bombs.map(send));
  const grown = process.resourceUsage().maxRSS - peakBefore;
  assert.ok(grown < 256 * 1024, `1 GiB of zeros took ${grown} KiB`);
  await assertWell(rig);
});

test('a gzip trailer that lies about the length changes nothing', async () => {
  await using rig = await startRig({ requestBytesMax: MIB });
  const lie = (claimed: number, size: number): Buffer => {
    const body = gzipSync(Buffer.concat([REQUEST, Buffer.alloc(size)]));
    body.writeUInt32LE(claimed, body.length - 4);
    return body;
  };
  const send = (body: Buffer) =>
    post(rig, { headers: { ...PROTOBUF, 'content-encoding': 'gzip' }, body });
  // zlib compares the trailer with what came out: the lie itself is the corruption.
  for (const [claimed, size] of [
    [10, 0],
    [0xffff_ffff, 0],
    [0, 0],
    [100, 200_000],
  ] as const) {
    assert.equal((await send(lie(claimed, size))).status, 400);
  }
  assert.equal((await send(lie(100, 4 * MIB))).status, 413);
  await assertWell(rig);
});

test('a corrupt or cut body of every encoding is a 400', async () => {
  await using rig = await startRig();
  const big = Buffer.concat([REQUEST, Buffer.alloc(MIB)]);
  for (const content of [REQUEST, big]) {
    for (const [encoding, body] of [
      ['gzip', gzipSync(content)],
      ['deflate', deflateSync(content)],
      ['zstd', zstdCompressSync(content)],
    ] as const) {
      const headers = { ...PROTOBUF, 'content-encoding': encoding };
      const cut = await post(rig, {
        headers,
        body: Buffer.from(body.subarray(0, body.length / 2)),
      });
      assert.equal(cut.status, 400, `${encoding} cut`);
      const broken = Buffer.from(body);
      broken.fill(0xa5, 12, 24);
      assert.equal((await post(rig, { headers, body: broken })).status, 400, `${encoding} broken`);
      const rubbish = await post(rig, { headers, body: Buffer.from('not compressed at all') });
      assert.equal(rubbish.status, 400, `${encoding} rubbish`);
    }
  }
  await assertWell(rig);
});

test('a zstd frame that asks for a window of a gigabyte is refused', async () => {
  await using rig = await startRig();
  // RFC 8878 §3.1.1: magic, descriptor 0 (window descriptor follows), exponent 20: 2^30 bytes.
  const body = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, 0x01, 0x00, 0x00]);
  const response = await post(rig, { headers: { ...PROTOBUF, 'content-encoding': 'zstd' }, body });
  assert.equal(response.status, 400);
  await assertWell(rig);
});

test('a declared length over the cap is refused before a byte of it is read', async () => {
  await using rig = await startRig({ requestBytesMax: MIB });
  const head =
    'POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\n';
  const raw = await rawHttp(rig, `${head}content-length: 99999999999\r\n\r\n`);
  const answer = await raw.closed(3000);
  assert.match(answer, /^HTTP\/1.1 413 /);
  assert.match(answer, /connection: close/i);
  await assertWell(rig);
});

test('a chunked body over the cap gets its 413 whole, and is cut off if it goes on', async () => {
  await using rig = await startRig({ requestBytesMax: MIB });
  const head =
    'POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';
  const raw = await rawHttp(rig, head);
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  const pump = setInterval(() => {
    for (let i = 0; i < 8 && raw.socket.writable; i++) raw.socket.write(chunk);
  }, 5);
  const answer = await raw.closed(5000);
  clearInterval(pump);
  assert.match(answer, /^HTTP\/1.1 413 /);
  assert.match(answer, /longer than 1048576 bytes/);
  assert.ok(raw.socket.bytesWritten < 16 * MIB, 'the connection was closed');
  await assertWell(rig);
});

test('when the memory is full the answer is 429 with a delay, and nothing stays reserved', async () => {
  await using rig = await startRig({ memoryBytes: 100_000 });
  const response = await post(rig, { headers: PROTOBUF, body: Buffer.alloc(200_000) });
  assert.equal(response.status, 429);
  assert.equal(response.headers.get('retry-after'), '1');
  const status = await statusOf(response);
  assert.equal(status.code, 14);
  assert.equal(status.retryMs, 1000);
  assert.deepEqual(rig.outcomes, ['busy']);
  await assertWell(rig);
});

test('a bomb that would fill the memory is told to come again, not let in', async () => {
  await using rig = await startRig({ memoryBytes: 4 * MIB });
  const body = gzipSync(Buffer.alloc(32 * MIB));
  const response = await post(rig, { headers: { ...PROTOBUF, 'content-encoding': 'gzip' }, body });
  assert.equal(response.status, 429);
  await assertWell(rig);
});

const LEFT = { code: 'unavailable', message: 'the client has left', retryAfterMs: 1 } as const;

test('an upload that is aborted frees its memory, wherever it stops', async () => {
  const started: AbortSignal[] = [];
  const accept = (batch: { signal?: AbortSignal }) =>
    new Promise<never>((_resolve, reject) => {
      const { signal } = batch;
      if (signal === undefined) return;
      started.push(signal);
      signal.addEventListener('abort', () => reject(new RefusalError(LEFT)));
    });
  await using rig = await startRig({ accept });
  const head =
    'POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\ncontent-length: 300000\r\n\r\n';
  const stops = ['', 'x', 'x'.repeat(100_000), 'x'.repeat(299_999)];
  for (const part of stops) {
    const raw = await rawHttp(rig, head + part);
    if (part !== '') await eventually(() => rig.budget.usedBytes > 0);
    raw.socket.destroy();
    await eventually(() => rig.budget.usedBytes === 0);
  }
  // Complete, and now in accept: its signal tells it.
  const raw = await rawHttp(rig, head + 'x'.repeat(300_000));
  await eventually(() => started.length === 1);
  raw.socket.destroy();
  await eventually(() => started[0]?.aborted === true && rig.budget.usedBytes === 0);
  await eventually(() => rig.outcomes.length >= 4);
  assert.ok(rig.outcomes.every((outcome) => outcome === 'gone'));
  assert.deepEqual(rig.bugs, []);
});

test('a body or head that drips in ends after the time for it, and others are served meanwhile', async () => {
  await using rig = await startRig({ httpLimits: { requestTimeMs: 400, headerTimeMs: 200 } });
  const head = 'POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
  const drips = await Promise.all([
    rawHttp(rig, `${head}content-length: 1000\r\n\r\n`),
    rawHttp(rig, `${head}x-slow: `),
  ]);
  const drip = setInterval(() => {
    for (const { socket } of drips) if (socket.writable) socket.write('1');
  }, 50);
  await eventually(() => rig.budget.usedBytes > 0);
  assert.equal((await post(rig, { headers: PROTOBUF, body: REQUEST })).status, 200);
  const answers = await Promise.all(drips.map((raw) => raw.closed(4000)));
  clearInterval(drip);
  for (const answer of answers) assert.match(answer, /^HTTP\/1.1 408 /);
  await assertWell(rig);
});

test('floods of headers and heads that contradict themselves are refused', async () => {
  await using rig = await startRig();
  const head = 'POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
  const flood = Array.from({ length: 800 }, (_, i) => `x-flood-${i}: ${'y'.repeat(20)}\r\n`).join(
    '',
  );
  const refused: [string, RegExp][] = [
    [`${head}${flood}\r\n`, /^HTTP\/1.1 431 /],
    [`${head}x: ${'y'.repeat(MIB)}\r\n\r\n`, /^HTTP\/1.1 431 |^$/],
    [`${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`, /^HTTP\/1.1 400 /],
    [`${head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}`, /^HTTP\/1.1 400 /],
    [`${head}x: a\r\n b\r\ncontent-length: 2\r\n\r\n{}`, /^HTTP\/1.1 400 /],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^HTTP\/1.1 400 /],
    ['\x16\x03\x01\x02\x00\x01\x00\x01', /^HTTP\/1.1 400 /],
  ];
  for (const [text, wanted] of refused) {
    const raw = await rawHttp(rig, text);
    assert.match(await raw.closed(3000), wanted, text.slice(90, 140));
  }
  await assertWell(rig);
});
