import assert from 'node:assert/strict';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HttpLimits, type Listener, openHttp } from './http_listener.ts';
import { ListenError } from './listen.ts';
import { neverClosing, quickHandshake } from './testing/half_open.ts';
import type { Tls } from './tls.ts';

const GRACE_MS = 1000;

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

async function open(
  t: TestContext,
  handler: Handler,
  more: {
    limits?: Partial<HttpLimits>;
    allowedHosts?: string[];
    onBug?: (e: unknown) => void;
    tls?: Tls;
  } = {},
): Promise<Listener> {
  const http = await openHttp({
    host: 'localhost',
    port: 0,
    setting: 'listen.test',
    handler,
    ...more,
  });
  t.after(() => http.stop(0));
  return http;
}

const hello: Handler = (_request, response) => {
  response.end('hello');
};

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly connection: string | undefined;
}

function ask(
  port: number,
  options: { host?: string; method?: string; headers?: Record<string, string>; path?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { host = '127.0.0.1', ...rest } = options;
    const req = request({ host, port, agent: false, ...rest }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          body,
          connection: response.headers.connection,
        });
      });
    });
    req.on('error', reject);
    req.end();
  });
}

/** Sends raw bytes and returns all that comes back until the server closes. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

test('localhost answers on 127.0.0.1 and on ::1, on one port', async (t) => {
  const http = await open(t, hello);
  assert.equal((await ask(http.port)).body, 'hello');
  assert.equal(http.addresses[0], `127.0.0.1:${http.port}`);
  if (http.addresses.length === 2) {
    assert.equal(http.addresses[1], `[::1]:${http.port}`);
    assert.equal((await ask(http.port, { host: '::1' })).body, 'hello');
  }
});

test('a port in use is one sentence that names the port and the setting', async (t) => {
  const http = await open(t, hello);
  await assert.rejects(
    openHttp({ host: 'localhost', port: http.port, setting: 'listen.query', handler: hello }),
    (error: unknown) => {
      assert.ok(error instanceof ListenError);
      assert.match(error.message, new RegExp(`port ${http.port} .*in use.*listen\\.query`));
      return true;
    },
  );
});

test('an address that is not of this machine is named with its setting', async () => {
  await assert.rejects(
    openHttp({ host: '192.0.2.1', port: 0, setting: 'listen.query', handler: hello }),
    /192\.0\.2\.1 is no address of this machine: set listen\.query/,
  );
});

test('a loopback listener refuses a foreign Host name, as DNS rebinding sends it', async (t) => {
  const http = await open(t, hello, { allowedHosts: ['traces.example.org'] });
  const status = async (host: string): Promise<number> =>
    (await ask(http.port, { headers: { host } })).status;
  assert.equal(await status('evil.example'), 403);
  assert.equal(await status('evil.example:4318'), 403);
  assert.equal(await status('localhost:4318'), 200);
  assert.equal(await status('traces.example.org'), 200);
});

test('a listener that is open to the network does not judge Host names', async (t) => {
  const http = await openHttp({ host: '0.0.0.0', port: 0, setting: 'listen.test', handler: hello });
  t.after(() => http.stop(0));
  assert.equal((await ask(http.port, { headers: { host: 'traces.example' } })).status, 200);
});

test('a loopback listener refuses the content types that a foreign page may send unasked', async (t) => {
  const http = await open(t, hello);
  const status = async (type: string, site = 'cross-site'): Promise<number> => {
    const headers = { 'content-type': type, 'sec-fetch-site': site };
    return (await ask(http.port, { method: 'POST', headers })).status;
  };
  assert.equal(await status('text/plain'), 415);
  assert.equal(await status('text/plain', 'same-site'), 415);
  assert.equal(await status('text/plain', 'same-origin'), 200);
  assert.equal(await status('Text/Plain; charset=utf-8'), 415);
  assert.equal(await status('multipart/form-data; boundary=x'), 415);
  assert.equal(await status('application/json'), 200);
});

test('bytes that are no HTTP get a 400 that echoes nothing, and the listener lives on', async (t) => {
  const http = await open(t, hello);
  const answer = await raw(http.port, '\x16\x03\x01<script>\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 400 /);
  assert.doesNotMatch(answer, /script/);
  assert.equal((await ask(http.port)).status, 200);
});

test('headers over the limit are refused with 431', async (t) => {
  const http = await open(t, hello, { limits: { headerBytesMax: 2048 } });
  const answer = await raw(
    http.port,
    `GET / HTTP/1.1\r\nhost: localhost\r\na: ${'a'.repeat(4096)}\r\n\r\n`,
  );
  assert.match(answer, /^HTTP\/1\.1 431 /);
});

test('headers that never end are cut off within their time', async (t) => {
  const http = await open(t, hello, { limits: { headerTimeMs: 200 } });
  const startMs = performance.now();
  const answer = await raw(http.port, 'GET / HTTP/1.1\r\nhost: localhost\r\n');
  assert.match(answer, /^HTTP\/1\.1 408 /);
  assert.ok(performance.now() - startMs < 5000);
});

test('who is answered 408 or 400 and does not close is cut off, with TLS that never begins too', async (t) => {
  const plain = await open(t, hello, { limits: { headerTimeMs: 200 } });
  const secure = await open(t, hello, { tls: quickHandshake(50) });
  const clients = [
    await neverClosing(plain.port, 'GET / HTTP/1.1\r\nhost: localhost\r\n'),
    await neverClosing(plain.port, 'no HTTP\r\n\r\n'),
    await neverClosing(secure.port, ''),
  ];
  const late = sleep(10_000, 'still open', { ref: false });
  for (const { closed } of clients) assert.equal(await Promise.race([closed, late]), 'closed');
});

test('stop cuts a connection in the middle of its TLS handshake', async (t) => {
  const http = await open(t, hello, { tls: quickHandshake(60_000) });
  const { closed } = await neverClosing(http.port, '');
  await http.stop(50);
  assert.equal(await closed, 'closed');
});

test('connections past the limit are closed unread', async (t) => {
  const http = await open(t, hello, { limits: { connectionsMax: 1 } });
  const held = connect(http.port, '127.0.0.1');
  t.after(() => held.destroy());
  await new Promise((resolve) => held.once('connect', resolve));
  await assert.rejects(ask(http.port));
});

test('a handler that throws, now or later, is a 500 without its message, and is reported', async (t) => {
  const bugs: unknown[] = [];
  const handler: Handler = (req) => {
    if (req.url === '/now') throw new Error('secret');
    return Promise.reject(new Error('secret'));
  };
  const http = await open(t, handler, { onBug: (error) => bugs.push(error) });
  for (const path of ['/now', '/later']) {
    const answer = await ask(http.port, { path });
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.body, /secret/);
  }
  assert.equal(bugs.length, 2);
});

test('stop lets a running request end and refuses new connections', async (t) => {
  let finish = (): void => undefined;
  const started = Promise.withResolvers<void>();
  const http = await open(t, (_request, response) => {
    finish = () => response.end('done');
    started.resolve();
  });
  const answer = ask(http.port);
  await started.promise;
  const stopped = http.stop(GRACE_MS);
  await assert.rejects(ask(http.port));
  finish();
  assert.equal((await answer).body, 'done');
  await stopped;
});

test('stop cuts what is still running when the grace is over', async (t) => {
  const started = Promise.withResolvers<void>();
  const http = await open(t, () => started.resolve());
  const answer = ask(http.port).then(
    () => 'answered',
    () => 'cut',
  );
  await started.promise;
  await http.stop(50);
  assert.equal(await answer, 'cut');
});
