// Promises P7, P8 and P9 on each receiver's port, not only OTLP's: floods of HTTP/2 frames, and who is
// slow. After each treatment the process must be alive, responsive and lean (harness/patient.ts).
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './harness/eventually.ts';
import { fetchMetrics } from './harness/metrics.ts';
import { Patient } from './harness/patient.ts';
import { freePorts } from './harness/ports.ts';
import { Prng, seedFromEnvironment } from './harness/prng.ts';
import {
  callHeaders,
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  literal,
  RawHttp2,
  setting,
} from './harness/raw_http2.ts';
import { sendRaw } from './harness/raw_socket.ts';

/** Shortened, so that the test need not wait for the defaults of 10 s, 60 s and 2 min. */
const HEADER_MS = 1_000;
const REQUEST_MS = 2_000;
const IDLE_MS = 2_000;
/** Stalled requests are looked for once a second, and the machine may be busy. */
const GRACE_MS = 5_000;

/** In frames, or in writes of many: each goes on until it is cut off, or far beyond what helps. */
const RESETS = 5_000;
const WRITES = 400;
const FRAMES_PER_WRITE = 500;

/** RFC 9113 §6.5.2. */
const INITIAL_WINDOW_SIZE = 4;

/** RFC 7541 §6.1: the newest entry of the dynamic table. */
const NEWEST_ENTRY = 0x80 | 62;

let ports: number[];
let patient: Patient;

/** gRPC methods by port: OTLP, Jaeger (14250), Zipkin (9411, beside HTTP/1.1), sampling (5779). */
const GRPC = [
  ['OTLP', 0, '/opentelemetry.proto.collector.trace.v1.TraceService/Export'],
  ['Jaeger', 1, '/jaeger.api_v2.CollectorService/PostSpans'],
  ['Zipkin', 2, '/zipkin.proto3.SpanService/Report'],
  ['sampling', 3, '/jaeger.api_v2.SamplingManager/GetSamplingStrategy'],
] as const;

const HTTP = [
  ['Zipkin', 2, '/api/v2/spans', 'application/json'],
  ['Jaeger', 4, '/api/traces', 'application/x-thrift'],
  ['sampling', 5, '/sampling', 'application/json'],
] as const;

before(async () => {
  ports = await freePorts(7);
  const [otlp, jaeger, zipkin, sampling, jaegerHttp, samplingHttp, udp] = ports;
  patient = await Patient.admit([
    `--limits-header-time=${HEADER_MS}ms`,
    `--limits-request-time=${REQUEST_MS}ms`,
    `--limits-idle-time=${IDLE_MS}ms`,
    `--listen-otlp-grpc=${otlp}`,
    `--listen-jaeger-grpc=${jaeger}`,
    `--listen-zipkin=${zipkin}`,
    `--listen-sampling-grpc=${sampling}`,
    `--listen-jaeger-http=${jaegerHttp}`,
    `--listen-sampling-http=${samplingHttp}`,
    `--listen-jaeger-compact=${udp}`,
  ]);
});
afterEach(() => patient.checkUp());
after(() => patient?.discharge());

for (const [name, at, path] of GRPC) {
  describe(`${name} over gRPC`, () => {
    const open = () => RawHttp2.open(ports[at] as number);
    const call = (stream: number, flags = END_HEADERS) =>
      frame(FRAME.headers, stream, flags, callHeaders(path));

    test('streams that are opened and reset at once end the connection', async () => {
      const raw = await open();
      const pairs = Array.from({ length: RESETS }, (_, i) => {
        const stream = 2 * i + 1;
        return Buffer.concat([
          call(stream),
          frame(FRAME.reset, stream, 0, Buffer.from('00000008', 'hex')),
        ]);
      });
      await raw.flood(Buffer.concat(pairs), 1);
      assert.ok(await raw.closes(GRACE_MS));
    });

    test('headers that go on for ever end the connection', async () => {
      const raw = await open();
      await raw.flood(call(1, 0), 1);
      const more = frame(FRAME.continuation, 1, 0, literal('x', 'y'.repeat(10_000), 0x00));
      const sent = await raw.flood(more, WRITES * 10);
      assert.ok(await raw.closes(GRACE_MS), `${sent} frames taken`);
    });

    test('few bytes that stand for many megabytes of headers are refused', async () => {
      const raw = await open();
      const entry = literal('x', 'y'.repeat(3_900), 0x40);
      // 12,000 × 3,900 bytes in one frame.
      const bomb = Buffer.concat([callHeaders(path), entry, Buffer.alloc(12_000, NEWEST_ENTRY)]);
      for (let stream = 1; stream < 100 && !raw.closed; stream += 2) {
        await raw.flood(frame(FRAME.headers, stream, END_HEADERS, bomb), 1);
      }
      await sleep(100);
      raw.destroy();
    });

    for (const [what, flooding] of [
      ['pings', frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
      ['settings', setting(INITIAL_WINDOW_SIZE, 1)],
    ] as const) {
      test(`${what} whose answers nobody reads end the connection`, async () => {
        const raw = await open();
        raw.socket.pause();
        const many = Buffer.concat(Array<Buffer>(FRAMES_PER_WRITE).fill(flooding));
        const sent = await raw.flood(many, WRITES);
        raw.socket.resume();
        assert.ok((await raw.closes(GRACE_MS)) || sent < WRITES, `${sent} writes taken`);
        raw.destroy();
      });
    }

    test('frames without content, changes of priority and odd windows harm nobody', async () => {
      const floods = [
        frame(FRAME.data, 1),
        frame(FRAME.priority, 1, 0, Buffer.from('0000000310', 'hex')),
        frame(FRAME.windowUpdate, 0, 0, Buffer.from('7fffffff', 'hex')),
        frame(FRAME.windowUpdate, 1, 0, Buffer.from('00000000', 'hex')),
        frame(0xff, 1, 0xff, Buffer.alloc(100, 0xff)),
      ];
      await Promise.all(
        floods.map(async (bytes) => {
          const raw = await open();
          await raw.flood(call(1), 1);
          const many = Buffer.concat(Array<Buffer>(FRAMES_PER_WRITE).fill(bytes));
          await raw.flood(many, WRITES / 10);
          raw.destroy();
        }),
      );
    });

    test('a client with a window of zero cannot hold others up', async () => {
      const raw = await open();
      await raw.flood(setting(INITIAL_WINDOW_SIZE, 0), 1);
      const message = Buffer.from('0000000000', 'hex');
      for (let stream = 1; stream < 200; stream += 2) {
        await raw.flood(call(stream), 1);
        await raw.flood(frame(FRAME.data, stream, END_STREAM, message), 1);
      }
      await sleep(100);
      raw.destroy();
    });
  });
}

test('who does not finish what was begun over gRPC is let go of, on every port', async () => {
  const lingering = GRPC.map(async ([name, at, path]) => {
    const port = ports[at] as number;
    const silent = { silent: true };
    const slow = await Promise.all(
      [RawHttp2.open(port, silent), RawHttp2.open(port, silent)].concat([
        RawHttp2.open(port),
        RawHttp2.open(port),
        RawHttp2.open(port),
      ]),
    );
    const [, preface, , headers, body] = slow;
    await preface?.flood(Buffer.from('PRI * HT'), 1);
    await headers?.flood(frame(FRAME.headers, 1, 0, callHeaders(path)), 1);
    await body?.flood(frame(FRAME.headers, 1, END_HEADERS, callHeaders(path)), 1);
    await body?.flood(frame(FRAME.data, 1, 0, Buffer.from('000000ffff01', 'hex')), 1);
    const patienceMs = REQUEST_MS + IDLE_MS + GRACE_MS;
    const closed = await Promise.all(slow.map((raw) => raw.closes(patienceMs)));
    assert.deepEqual(closed, [true, true, true, true, true], name);
  });
  await Promise.all(lingering);
});

for (const [name, at, path, type] of HTTP) {
  describe(`${name} over HTTP/1.1`, () => {
    const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\n`;
    const send = (chunks: readonly (string | Buffer)[], options = {}) =>
      sendRaw(ports[at] as number, chunks, options);

    test('headers and bodies that drip in are ended when their time is up', async () => {
      const [headers, body] = await Promise.all([
        send([head, ...Array<string>(30).fill('x: y\r\n')], { pauseMs: 200 }),
        send([head, 'content-length: 1000\r\n\r\n', ...Array<string>(30).fill('[')], {
          pauseMs: 200,
        }),
      ]);
      assert.ok(headers.closed);
      assert.ok(headers.afterMs < HEADER_MS + GRACE_MS, `${headers.afterMs} ms`);
      // Who takes no body answers at once, and closes when the body does not come to its end.
      assert.match(body.text, /^HTTP\/1.1 4\d\d/);
      assert.ok(body.closed);
      assert.ok(body.afterMs < REQUEST_MS + GRACE_MS, `${body.afterMs} ms`);
    });

    test('half a body, and then no more, harms nobody', async () => {
      const half = `${head}content-length: 100000\r\n\r\n${'['.repeat(50_000)}`;
      const many = Array.from({ length: 50 }, () => send([half], { hangUp: true }));
      for (const { text } of await Promise.all(many)) assert.doesNotMatch(text, /^HTTP\/1.1 2/);
    });

    test('floods of headers, and lengths that contradict each other, are refused', async () => {
      const flood = await send([`${head}x: ${'y'.repeat(1024 * 1024)}\r\n\r\n`]);
      assert.ok(flood.closed);
      assert.match(flood.text, /^HTTP\/1.1 431|^$/);
      for (const more of ['content-length: 5', 'transfer-encoding: chunked']) {
        const answer = await send([`${head}content-length: 4\r\n${more}\r\n\r\n0\r\n\r\n`]);
        assert.match(answer.text, /^HTTP\/1.1 400/);
      }
    });
  });
}

test('UDP counts what is no batch, whatever it is, and takes what comes next', async (context) => {
  const random = new Prng(seedFromEnvironment());
  context.diagnostic(`TEST_SEED=${random.seed}`);
  const socket = createSocket('udp4');
  const send = (bytes: Uint8Array) =>
    new Promise((resolve) => socket.send(bytes, ports[6] as number, '127.0.0.1', resolve));
  const count = 2_000;
  for (let i = 0; i < count; i++) {
    const length = i % 100 === 0 ? 65_000 : random.int(0, 1_500);
    await send(random.bytes(length));
  }
  socket.close();
  await eventually('every datagram counted', 10_000, async () => {
    const page = await fetchMetrics(patient.spanhouse.metrics);
    const counted = page.sum('spanhouse_udp_datagrams_total', { outcome: 'malformed' });
    assert.equal(counted + page.sum('spanhouse_udp_kernel_drops'), count);
    assert.ok(counted > count / 2, `${counted} read`);
    return counted;
  });
});
