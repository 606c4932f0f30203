// HTTP/2 attacks on the port of OTLP over gRPC: each ends its own connection at most, takes no
// memory, and the others are served meanwhile (rapid reset: grpc_unary.test.ts).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { eventually } from './testing/raw_http.ts';
import {
  CONTINUATION,
  callHeaders,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  HEADERS,
  literal,
  openHttp2,
  PING,
  SETTINGS,
} from './testing/raw_http2.ts';
import { call, framed, type Rig, startRig, withGrpc } from './testing/rig.ts';

const REQUEST = readFileSync(new URL('./testdata/otel-js-proto.1.bin', import.meta.url));

const MIB = 1024 * 1024;

/** The receiver answers another client, and holds nothing for the attacker. */
async function assertServed(rig: Rig): Promise<void> {
  const answer = await withGrpc(rig, (session) => call(session, { frames: [framed(REQUEST)] }));
  assert.equal(answer.code, 0);
  await eventually(() => rig.budget.usedBytes === 0);
  assert.deepEqual(rig.bugs, []);
}

/** Writes `piece` until the other side has closed, at most `times`; the writes that it took. */
async function flood(socket: Socket, piece: Uint8Array, times: number): Promise<number> {
  let count = 0;
  while (count < times && !socket.destroyed) {
    socket.write(piece);
    count++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return count;
}

const PIECES_MAX = 2000;

test('a header block that never ends closes its connection', async () => {
  await using rig = await startRig();
  const socket = await openHttp2(rig.grpc.port);
  socket.write(frame(HEADERS, 0, 1, callHeaders()));
  const piece = frame(CONTINUATION, 0, 1, literal('x', 'y'.repeat(100)));
  assert.ok((await flood(socket, piece, PIECES_MAX)) < PIECES_MAX);
  await assertServed(rig);
});

test('floods of PING and SETTINGS that nobody reads the answers of take no memory', async () => {
  await using rig = await startRig();
  const ping = frame(PING, 0, 0, new Uint8Array(8));
  const settings = frame(SETTINGS, 0, 0, Uint8Array.of(0, 3, 0, 0, 0, 100));
  const peakBefore = process.resourceUsage().maxRSS;
  for (const one of [ping, settings]) {
    const socket = await openHttp2(rig.grpc.port);
    socket.pause();
    await flood(socket, Buffer.concat(Array.from({ length: 200 }, () => one)), 300);
    await assertServed(rig);
    socket.destroy();
  }
  const grown = (process.resourceUsage().maxRSS - peakBefore) / 1024;
  assert.ok(grown < 64, `${grown} MiB`);
});

test('a header that is named thousands of times from the table is refused, not expanded', async () => {
  await using rig = await startRig();
  const socket = await openHttp2(rig.grpc.port);
  // RFC 7541 §6.2.1: literal with indexing of 4,000 bytes (127 + 3873 as a varint), then §6.1: 62,
  // the first entry of the dynamic table, again and again: 16 KB that name 64 MB.
  const length = Buffer.from([127, ((4000 - 127) & 0x7f) | 0x80, (4000 - 127) >> 7]);
  const large = Buffer.concat([Buffer.from([0x40, 1, 0x78]), length, Buffer.alloc(4000, 0x79)]);
  const block = Buffer.concat([callHeaders(), large, Buffer.alloc(12_000, 0x80 | 62)]);
  const peakBefore = process.resourceUsage().maxRSS;
  socket.write(frame(HEADERS, END_HEADERS | END_STREAM, 1, block));
  await assertServed(rig);
  assert.ok((process.resourceUsage().maxRSS - peakBefore) * 1024 < 32 * MIB);
  assert.deepEqual(rig.outcomes.slice(0, -1), []);
  socket.destroy();
});

test('a client that opens no window for its answer is let go of', async () => {
  await using rig = await startRig({ answerTimeMs: 200 });
  // SETTINGS_INITIAL_WINDOW_SIZE (4) of 0: no DATA may be sent, not even an empty message's prefix.
  const socket = await openHttp2(rig.grpc.port, Uint8Array.of(0, 4, 0, 0, 0, 0));
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  for (const stream of [1, 3, 5]) {
    socket.write(frame(HEADERS, END_HEADERS, stream, callHeaders()));
    socket.write(frame(DATA, END_STREAM, stream, framed(REQUEST)));
  }
  await eventually(() => rig.outcomes.length === 3);
  assert.deepEqual(rig.outcomes, ['ok', 'ok', 'ok']);
  assert.ok(rig.budget.usedBytes > 0, 'charged while the answer waits');
  await eventually(() => rig.budget.usedBytes === 0);
  const cancel = frame(3, 0, 1, Uint8Array.of(0, 0, 0, 8));
  await eventually(() => Buffer.concat(received).includes(cancel));
  await assertServed(rig);
  socket.destroy();
});

test('health checks and reflection are bounded too, though grpc-js gathers them', async () => {
  await using rig = await startRig();
  const path = '/grpc.health.v1.Health/Check';
  await withGrpc(rig, async (session) => {
    const large = call(session, {
      frames: [framed(Buffer.alloc(MIB))],
      headers: { ':path': path },
      end: false,
    });
    assert.notEqual((await large).code, 0);
  });
  await assertServed(rig);
});
