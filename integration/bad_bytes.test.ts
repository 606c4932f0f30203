// Promise P9 below HTTP: any bytes on any port, slow ones, and gRPC frames no client would send.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from './harness/http.ts';
import { encodeRequest, traceOf } from './harness/otlp.ts';
import { Patient } from './harness/patient.ts';
import { Prng, seedFromEnvironment } from './harness/prng.ts';
import { sendRaw } from './harness/raw_socket.ts';

/** Shortened, so that the test need not wait for the defaults of 10 s and 60 s. */
const HEADER_MS = 1_000;
const REQUEST_MS = 3_000;
/** Node looks for stalled requests once a second. */
const GRACE_MS = 3_000;
const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const POST =
  'POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\n';
const RESETS = 3_000;
const TINY_FRAMES = 20_000;

describe('bad bytes on every port', () => {
  let patient: Patient;
  before(async () => {
    const flags = [`--limits-header-time=${HEADER_MS}ms`, `--limits-request-time=${REQUEST_MS}ms`];
    patient = await Patient.admit(flags);
  });
  afterEach(() => patient.checkUp());
  after(() => patient?.discharge());

  test('random bytes, TLS and the wrong protocol are hung up on', async (t) => {
    const random = new Prng(seedFromEnvironment());
    t.diagnostic(`TEST_SEED=${random.seed}`);
    const tls = Buffer.from('16030100a5010000a10303', 'hex');
    const http2 = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const payloads = [random.bytes(1), random.bytes(5_000), tls, http2, 'GET / HTTP/1.1\r\n\r\n'];
    for (const port of Object.values(patient.spanhouse.ports)) {
      const sent = payloads.map((bytes) => sendRaw(port, [bytes], { patienceMs: 500 }));
      await Promise.all(sent);
      assert.ok(patient.spanhouse.alive, `port ${port}`);
    }
  });

  test('half a body, and then no more, harms nobody', async () => {
    const body = encodeRequest('half', traceOf(50));
    const head = `${POST}content-length: ${body.length}\r\n\r\n`;
    const half = body.subarray(0, body.length / 2);
    const port = patient.spanhouse.ports.otlpHttp;
    const many = Array.from({ length: 50 }, () => sendRaw(port, [head, half], { hangUp: true }));
    for (const answer of await Promise.all(many))
      assert.doesNotMatch(answer.text, /^HTTP\/1.1 200/);
  });

  test('a body that drips in is ended when its time is up', async () => {
    const drips = ['content-length: 1000000\r\n\r\n', ...Array<string>(30).fill('\n')];
    const port = patient.spanhouse.ports.otlpHttp;
    const answer = await sendRaw(port, [POST, ...drips], { pauseMs: 250 });
    assert.ok(answer.closed);
    assert.match(answer.text, /^HTTP\/1.1 408/);
    assert.ok(answer.afterMs < REQUEST_MS + GRACE_MS, `${answer.afterMs} ms`);
  });

  test('headers that drip in are ended when their time is up', async () => {
    const drips = Array<string>(30).fill('x: y\r\n');
    const port = patient.spanhouse.ports.otlpHttp;
    const answer = await sendRaw(port, [POST, ...drips], { pauseMs: 200 });
    assert.ok(answer.closed);
    assert.ok(answer.afterMs < HEADER_MS + GRACE_MS, `${answer.afterMs} ms`);
  });

  test('floods of headers are refused', async () => {
    const { otlpHttp, query } = patient.spanhouse.ports;
    for (const port of [otlpHttp, query]) {
      const answer = await sendRaw(port, [POST, `x: ${'y'.repeat(1024 * 1024)}\r\n\r\n`]);
      assert.ok(answer.closed);
      assert.match(answer.text, /^HTTP\/1.1 431|^$/);
    }
  });

  test('two lengths, or a length and chunks, are refused', async () => {
    const port = patient.spanhouse.ports.otlpHttp;
    for (const header of ['content-length: 5', 'transfer-encoding: chunked']) {
      const head = `${POST}content-length: 4\r\n${header}\r\n\r\n0\r\n\r\n`;
      assert.match((await sendRaw(port, [head])).text, /^HTTP\/1.1 400/);
    }
  });

  test('questions that no one means are refused, and cost little', async () => {
    const { query } = patient.spanhouse;
    const long = 'x'.repeat(10_000);
    const wrong = ['limit=-1', 'limit=1e9', 'start=x', 'tags=[]', 'tag=a', 'maxDuration=1y'];
    for (const parameter of wrong) {
      const answer = await call(`${query}/api/traces?service=canary&${parameter}`);
      assert.equal(answer.status, 400, parameter);
    }
    for (const path of ['/api/traces/..%2f..%2fetc', '/api/traces/%00', `/api/traces/${long}`]) {
      const { status } = await call(`${query}${path}`);
      assert.ok(status >= 400 && status < 500, `${status} ${path}`);
    }
    const hostile = encodeURIComponent(`'"\\;--{x:String}%_${'\0'}`);
    const answer = await call(`${query}/api/traces?service=${hostile}&operation=${hostile}`);
    assert.equal(answer.status, 200);
  });

  describe('over gRPC', () => {
    let session: ClientHttp2Session;
    before(async () => {
      session = connect(`http://${patient.spanhouse.otlpGrpc}`);
      session.on('error', () => undefined);
      await once(session, 'connect');
    });
    after(() => session.destroy());

    /** Sends a message frame as it stands; resolves with the status that ended the call. */
    async function frame(bytes: Uint8Array, headers: Record<string, string> = {}) {
      const stream = session.request({
        ':method': 'POST',
        ':path': EXPORT,
        'content-type': 'application/grpc',
        te: 'trailers',
        ...headers,
      });
      let status: string | undefined;
      const note = (fields: Record<string, unknown>) => {
        status = String(fields['grpc-status'] ?? status ?? '');
      };
      stream.on('response', note);
      stream.on('trailers', note);
      stream.on('error', () => undefined);
      stream.resume();
      stream.end(bytes);
      await once(stream, 'close');
      return status;
    }

    function message(bytes: Uint8Array, compressed = 0): Buffer {
      const head = Buffer.alloc(5);
      head[0] = compressed;
      head.writeUInt32BE(bytes.length, 1);
      return Buffer.concat([head, bytes]);
    }

    test('rubbish is INVALID_ARGUMENT', async () => {
      assert.equal(await frame(message(Buffer.alloc(1_000, 0xff))), '3');
    });

    test('a length of 4 GiB is RESOURCE_EXHAUSTED, and nothing is allocated', async () => {
      assert.equal(await frame(Buffer.from('00ffffffff', 'hex')), '8');
    });

    test('corrupt and cut gzip end the call, not the process', async () => {
      const gzip = { 'grpc-encoding': 'gzip' };
      const final = ['3', '13'];
      for (const bytes of [Buffer.from('not gzip at all'), Buffer.from('1f8b0800', 'hex')]) {
        const status = await frame(message(bytes, 1), gzip);
        assert.ok(final.includes(status ?? ''), `grpc-status ${status}`);
      }
      const unsaid = await frame(message(Buffer.from('x'), 1));
      assert.ok(final.includes(unsaid ?? ''), `compressed without saying how: ${unsaid}`);
    });

    test('unknown methods are UNIMPLEMENTED', async () => {
      assert.equal(await frame(message(Buffer.alloc(0)), { ':path': '/a.B/C' }), '12');
    });

    test('a message in thousands of tiny frames costs no more than a whole one', async () => {
      const bytes = message(Buffer.alloc(TINY_FRAMES, 0xff));
      const stream = session.request({
        ':method': 'POST',
        ':path': EXPORT,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.on('error', () => undefined);
      stream.resume();
      for (let at = 0; at < bytes.length && !stream.closed; at++) {
        if (!stream.write(bytes.subarray(at, at + 1)))
          await Promise.race([once(stream, 'drain'), sleep(500)]);
      }
      stream.end();
      if (!stream.closed) await once(stream, 'close');
    });

    test('streams that are opened and reset at once do not starve the others', async () => {
      const attacker = connect(`http://${patient.spanhouse.otlpGrpc}`);
      attacker.on('error', () => undefined);
      await once(attacker, 'connect');
      for (let i = 0; i < RESETS && !attacker.closed && !attacker.destroyed; i++) {
        const stream = attacker.request({ ':method': 'POST', ':path': EXPORT });
        stream.on('error', () => undefined);
        stream.close(constants.NGHTTP2_CANCEL);
        if (i % 100 === 0) await sleep(1);
      }
      attacker.destroy();
    });
  });
});
