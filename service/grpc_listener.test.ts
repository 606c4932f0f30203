import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Client,
  credentials,
  type handleUnaryCall,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { type GrpcLimits, openGrpc } from './grpc_listener.ts';
import type { Listener } from './http_listener.ts';
import { neverClosing, quickHandshake } from './testing/half_open.ts';

const PATH = '/test.Echo/Call';
const raw = (bytes: Buffer): Buffer => bytes;
const echo: handleUnaryCall<Buffer, Buffer> = (call, done) =>
  done(null, call.request.subarray(0, 8));

async function open(
  t: TestContext,
  handler: handleUnaryCall<Buffer, Buffer> = echo,
  limits: Partial<GrpcLimits> = {},
): Promise<Listener> {
  const grpc = await openGrpc({
    host: 'localhost',
    port: 0,
    setting: 'listen.otlp_grpc',
    limits,
    register: (server) => {
      server.register(PATH, handler, raw, raw, 'unary');
    },
  });
  t.after(() => grpc.stop(0));
  return grpc;
}

function client(t: TestContext, address: string): Client {
  const made = new Client(address, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
    'grpc.enable_retries': 0,
  });
  t.after(() => made.close());
  return made;
}

function call(from: Client, bytes: Buffer, path = PATH): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    from.makeUnaryRequest(path, raw, raw, bytes, (error, answer) => {
      if (error !== null) reject(error);
      else resolve(answer ?? Buffer.alloc(0));
    });
  });
}

function refused(code: status): (error: unknown) => boolean {
  return (error) => {
    assert.equal((error as ServiceError).code, code, (error as Error).message);
    return true;
  };
}

test('both loopback families answer on one port', async (t) => {
  const grpc = await open(t);
  for (const address of grpc.addresses) {
    assert.equal((await call(client(t, address), Buffer.from('hi'))).toString(), 'hi');
  }
});

test('a port in use is one sentence that names the port and the setting', async (t) => {
  const grpc = await open(t);
  await assert.rejects(
    openGrpc({
      host: 'localhost',
      port: grpc.port,
      setting: 'listen.otlp_grpc',
      register: () => 0,
    }),
    new RegExp(`port ${grpc.port} .*in use.*listen\\.otlp_grpc`),
  );
});

test('a message up to the limit passes, a larger one is RESOURCE_EXHAUSTED', async (t) => {
  const grpc = await open(t, echo, { messageBytesMax: 1000 });
  const from = client(t, `127.0.0.1:${grpc.port}`);
  assert.equal((await call(from, Buffer.alloc(1000, 1))).length, 8);
  await assert.rejects(call(from, Buffer.alloc(1001)), refused(status.RESOURCE_EXHAUSTED));
});

test('a message of many megabytes passes under the session memory limit', async (t) => {
  const grpc = await open(t);
  const from = client(t, `127.0.0.1:${grpc.port}`);
  assert.equal((await call(from, Buffer.alloc(60 * 1024 * 1024, 1))).length, 8);
});

test('the stream limit is announced to the client', async (t) => {
  const grpc = await open(t, echo, { streamsMax: 7 });
  const session = connectHttp2(`http://127.0.0.1:${grpc.port}`);
  t.after(() => session.destroy());
  const settings = await new Promise<{ maxConcurrentStreams?: number }>((resolve) => {
    session.once('remoteSettings', resolve);
  });
  assert.equal(settings.maxConcurrentStreams, 7);
});

test('a bare method and one of grpc-js are answered on one connection', async (t) => {
  const grpc = await openGrpc({
    host: 'localhost',
    port: 0,
    setting: 'listen.otlp_grpc',
    bare: new Map([
      ['/test.Bare/Call', (stream) => stream.respond({ 'grpc-status': '7' }, { endStream: true })],
    ]),
    register: (server) => {
      server.register(PATH, echo, raw, raw, 'unary');
    },
  });
  t.after(() => grpc.stop(0));
  const from = client(t, `127.0.0.1:${grpc.port}`);
  assert.equal((await call(from, Buffer.from('hi'))).toString(), 'hi');
  await assert.rejects(
    call(from, Buffer.from('hi'), '/test.Bare/Call'),
    refused(status.PERMISSION_DENIED),
  );
});

test('a whole batch may be sent without asking', async (t) => {
  const grpc = await open(t);
  const session = connectHttp2(`http://127.0.0.1:${grpc.port}`);
  t.after(() => session.destroy());
  const settings = await new Promise<{ initialWindowSize?: number }>((resolve) => {
    session.once('remoteSettings', resolve);
  });
  assert.equal(settings.initialWindowSize, 4 * 1024 * 1024);
});

test('connections past the limit are closed unread', async (t) => {
  const grpc = await open(t, echo, { connectionsMax: 1 });
  const held = connect(grpc.port, '127.0.0.1');
  t.after(() => held.destroy());
  await new Promise((resolve) => held.once('connect', resolve));
  const second = connect(grpc.port, '127.0.0.1');
  second.on('error', () => undefined);
  await new Promise((resolve) => second.once('close', resolve));
});

test('bytes that are no HTTP/2 close their connection and nothing else', async (t) => {
  const grpc = await open(t);
  const socket = connect(grpc.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\n\r\n'));
  socket.on('error', () => undefined);
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  const from = client(t, `127.0.0.1:${grpc.port}`);
  assert.equal((await call(from, Buffer.from('ok'))).toString(), 'ok');
});

test('stop lets a running call end', async (t) => {
  const started = Promise.withResolvers<() => void>();
  const grpc = await open(t, (running, done) => {
    started.resolve(() => done(null, running.request));
  });
  const answer = call(client(t, `127.0.0.1:${grpc.port}`), Buffer.from('late'));
  const finish = await started.promise;
  const stopped = grpc.stop(5000);
  setTimeout(finish, 50);
  assert.equal((await answer).toString(), 'late');
  await stopped;
});

test('stop cuts a call that outlives the grace', async (t) => {
  const started = Promise.withResolvers<void>();
  const grpc = await open(t, () => started.resolve());
  const answer = call(client(t, `127.0.0.1:${grpc.port}`), Buffer.from('never'));
  const rejected = assert.rejects(answer);
  await started.promise;
  await grpc.stop(50);
  await rejected;
});

test('a connection that never begins its TLS is let go, by its time and by a stop', async () => {
  const at = { host: '127.0.0.1', port: 0, setting: 'listen.otlp_grpc', register: () => undefined };
  const quick = await openGrpc({ ...at, tls: quickHandshake(50) });
  const late = sleep(10_000, 'still open', { ref: false });
  const silent = await neverClosing(quick.port, '');
  assert.equal(await Promise.race([silent.closed, late]), 'closed');
  await quick.stop(0);
  const slow = await openGrpc({ ...at, tls: quickHandshake(60_000) });
  const { closed } = await neverClosing(slow.port, '');
  await slow.stop(50);
  assert.equal(await closed, 'closed');
});
