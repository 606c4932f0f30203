import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { decodeStatus, plain, ResponseType } from '../../model/codec/otlp/testing/proto_root.ts';
import { REFUSAL_WIRE, type RefusalCode, RefusalError } from '../../service/refusal.ts';
import { eventually } from './testing/raw_http.ts';
import {
  call,
  EXPORT,
  framed,
  type GrpcAnswer,
  type Rig,
  startRig,
  withGrpc,
} from './testing/rig.ts';

const REQUEST = readFileSync(new URL('./testdata/otel-js-proto.1.bin', import.meta.url));

function send(rig: Rig, frame: Uint8Array, headers: Record<string, string> = {}) {
  return withGrpc(rig, (session) => call(session, { frames: [frame], headers }));
}

/** The message of an answer without its prefix. */
function message(answer: GrpcAnswer): Uint8Array {
  return answer.data.subarray(5);
}

test('a message arrives as its bytes, plain, gzip and deflate', async () => {
  await using rig = await startRig();
  const ways: [Uint8Array, string][] = [
    [framed(REQUEST), 'identity'],
    [framed(gzipSync(REQUEST), true), 'gzip'],
    [framed(deflateSync(REQUEST), true), 'deflate'],
    // The header says what a flagged message would be; this one has no flag.
    [framed(REQUEST), 'gzip'],
  ];
  for (const [frame, encoding] of ways) {
    assert.equal((await send(rig, frame, { 'grpc-encoding': encoding })).code, 0, encoding);
  }
  for (const batch of rig.batches) {
    assert.equal(batch.receiver, 'otlp_grpc');
    assert.ok(REQUEST.equals(batch.bytes));
  }
  assert.deepEqual(rig.outcomes, ['ok', 'ok', 'ok', 'ok']);
  await eventually(() => rig.budget.usedBytes === 0);
});

test('an empty message is an empty request, compressed or not', async () => {
  await using rig = await startRig();
  assert.equal((await send(rig, framed(new Uint8Array(0)))).code, 0);
  const empty = framed(gzipSync(new Uint8Array(0)), true);
  assert.equal((await send(rig, empty, { 'grpc-encoding': 'gzip' })).code, 0);
  assert.deepEqual(
    rig.batches.map((batch) => batch.bytes.length),
    [0, 0],
  );
});

test('spans that can never be kept are rejected in a partial success', async () => {
  const accept = async () => ({ spans: 1, rejected: 2, message: '2 spans had no ids' });
  await using rig = await startRig({ accept });
  const answer = await send(rig, framed(REQUEST));
  assert.equal(answer.code, 0);
  const partialSuccess = { rejectedSpans: '2', errorMessage: '2 spans had no ids' };
  assert.deepEqual(plain(ResponseType, message(answer)), { partialSuccess });
  assert.deepEqual(rig.outcomes, ['partial']);
});

test('each refusal of accept has its code, its google.rpc.Status and its delay', async () => {
  for (const code of Object.keys(REFUSAL_WIRE) as RefusalCode[]) {
    const delay = code === 'busy' || code === 'unavailable' ? { retryAfterMs: 1200 } : {};
    const accept = async () => {
      throw new RefusalError({ code, message: `it is ${code}`, ...delay });
    };
    await using rig = await startRig({ accept });
    const answer = await send(rig, framed(REQUEST));
    assert.equal(answer.code, REFUSAL_WIRE[code].grpc);
    assert.equal(answer.details, `it is ${code}`);
    const details = decodeStatus(answer.statusBytes ?? new Uint8Array(0));
    assert.equal(details.code, answer.code);
    assert.equal(details.message, answer.details);
    assert.equal(details.retryMs, 'retryAfterMs' in delay ? 1200 : undefined);
    assert.deepEqual(rig.outcomes, [code]);
  }
});

test('a bug of ours is INTERNAL without its details, and is told to us', async () => {
  const accept = async () => {
    throw new Error('secret: span data');
  };
  await using rig = await startRig({ accept });
  const answer = await send(rig, framed(REQUEST));
  assert.equal(answer.code, status.INTERNAL);
  assert.doesNotMatch(answer.details, /secret/);
  assert.equal(rig.bugs.length, 1);
});

test('protobuf cut off at any byte is INVALID_ARGUMENT', async () => {
  await using rig = await startRig();
  await withGrpc(rig, async (session) => {
    for (let length = 1; length < REQUEST.length; length++) {
      const answer = await call(session, { frames: [framed(REQUEST.subarray(0, length))] });
      assert.equal(answer.code, status.INVALID_ARGUMENT, `${length} bytes`);
      const { violations, retryMs } = decodeStatus(answer.statusBytes ?? new Uint8Array(0));
      assert.deepEqual(violations, [answer.details]);
      assert.equal(retryMs, undefined);
    }
  });
  assert.deepEqual(rig.bugs, []);
});

test('when the deadline passes, accept is told and the client gets DEADLINE_EXCEEDED', async () => {
  const signals: AbortSignal[] = [];
  const accept = (batch: { signal?: AbortSignal }) =>
    new Promise<never>((_resolve, reject) => {
      const { signal } = batch;
      if (signal === undefined) return;
      signals.push(signal);
      signal.addEventListener('abort', () => reject(new RefusalError(DEADLINE)));
    });
  await using rig = await startRig({ accept });
  const answer = await send(rig, framed(REQUEST), { 'grpc-timeout': '100m' });
  assert.equal(answer.code, status.DEADLINE_EXCEEDED);
  await eventually(() => signals[0]?.aborted === true && rig.budget.usedBytes === 0);
  assert.deepEqual(rig.bugs, []);
});

const DEADLINE = { code: 'deadline', message: 'the deadline passed' } as const;

test('what a client cancels stays charged until accept lets go of it', async () => {
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const signals: (AbortSignal | undefined)[] = [];
  const accept = async (batch: { signal?: AbortSignal }) => {
    signals.push(batch.signal);
    await held;
    return { spans: 1, rejected: 0, message: '' };
  };
  await using rig = await startRig({ accept });
  await withGrpc(rig, async (session) => {
    const pending = call(session, { frames: [framed(REQUEST)] });
    await eventually(() => signals.length === 1);
    session.destroy();
    await pending;
  });
  await eventually(() => signals[0]?.aborted === true);
  assert.ok(rig.budget.usedBytes >= REQUEST.length);
  letGo();
  await eventually(() => rig.budget.usedBytes === 0);
});

/** A unary call with grpc-js's own client, bytes in and out. */
function unary(rig: Rig, path: string, request: Uint8Array): Promise<Buffer> {
  const client = new Client(`127.0.0.1:${rig.grpc.port}`, credentials.createInsecure());
  const asIs = (bytes: Buffer): Buffer => bytes;
  return new Promise<Buffer>((resolve, reject) => {
    const answered = (error: ServiceError | null, answer?: Buffer): void => {
      if (error === null && answer !== undefined) resolve(answer);
      else reject(error ?? new Error('no answer'));
    };
    client.makeUnaryRequest(path, asIs, asIs, Buffer.from(request), answered);
  }).finally(() => client.close());
}

test('a stock client is served', async () => {
  await using rig = await startRig();
  assert.equal((await unary(rig, EXPORT, REQUEST)).length, 0);
  await assert.rejects(unary(rig, EXPORT, Buffer.from('rubbish')), {
    code: status.INVALID_ARGUMENT,
  });
});

test('health says NOT_SERVING until told otherwise, for the server and the service', async () => {
  await using rig = await startRig();
  const path = '/grpc.health.v1.Health/Check';
  const service = Buffer.from('opentelemetry.proto.collector.trace.v1.TraceService');
  // HealthCheckRequest { 1 service }; HealthCheckResponse { 1 status: 1 SERVING, 2 NOT_SERVING }
  const requests = [Buffer.alloc(0), Buffer.concat([Buffer.from([10, service.length]), service])];
  for (const request of requests) assert.deepEqual([...(await unary(rig, path, request))], [8, 2]);
  rig.grpc.setServing(true);
  for (const request of requests) assert.deepEqual([...(await unary(rig, path, request))], [8, 1]);
  const unknown = unary(rig, path, Buffer.from([10, 1, 0x78]));
  await assert.rejects(unknown, { code: status.NOT_FOUND });
  const list = await unary(rig, '/grpc.health.v1.Health/List', Buffer.alloc(0));
  assert.ok(list.includes(service));
});

test('a watcher hears each change, and a drain ends its watch', async () => {
  const rig = await startRig();
  const client = new Client(`127.0.0.1:${rig.grpc.port}`, credentials.createInsecure());
  const asIs = (bytes: Buffer): Buffer => bytes;
  const path = '/grpc.health.v1.Health/Watch';
  const watch = client.makeServerStreamRequest(path, asIs, asIs, Buffer.alloc(0));
  const heard: number[] = [];
  const ended = new Promise<void>((resolve) => watch.on('end', () => resolve()));
  watch.on('data', (answer: Buffer) => heard.push(answer[1] ?? 0));
  watch.on('error', () => undefined);
  await eventually(() => heard.length === 1);
  rig.grpc.setServing(true);
  rig.grpc.setServing(true);
  await eventually(() => heard.length === 2);
  const stopped = rig.grpc.stop(5000);
  await ended;
  await stopped;
  client.close();
  assert.deepEqual(heard, [2, 1, 2]);
  await rig[Symbol.asyncDispose]();
});

test('reflection lists the trace service and describes it', async () => {
  await using rig = await startRig();
  const client = new Client(`127.0.0.1:${rig.grpc.port}`, credentials.createInsecure());
  const asIs = (bytes: Buffer): Buffer => bytes;
  for (const version of ['v1', 'v1alpha']) {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    const stream = client.makeBidiStreamRequest(path, asIs, asIs);
    const answers: Buffer[] = [];
    stream.on('data', (answer: Buffer) => answers.push(answer));
    stream.on('error', () => undefined);
    // ServerReflectionRequest { 7 list_services }, { 4 file_containing_symbol }
    stream.write(Buffer.from([0x3a, 0]));
    const symbol = Buffer.from('opentelemetry.proto.collector.trace.v1.TraceService');
    stream.write(Buffer.concat([Buffer.from([0x22, symbol.length]), symbol]));
    await eventually(() => answers.length === 2);
    stream.end();
    for (const name of ['TraceService', 'grpc.health.v1.Health']) {
      assert.ok(answers[0]?.includes(name), name);
    }
    assert.ok(answers[1]?.includes('ExportTraceServiceRequest'));
  }
  client.close();
});
