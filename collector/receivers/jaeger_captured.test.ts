// What unmodified Jaeger clients sent (model/codec/jaeger/testdata), sent again over real sockets.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { shownSpans } from '../../model/codec/jaeger/testing/from_otlp.ts';
import { type JaegerRig, startJaegerRig } from './testing/jaeger_rig.ts';
import { call } from './testing/rig.ts';

interface Captured {
  readonly transport: 'grpc/h2c' | 'http/1.1' | 'udp';
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly spans: readonly { readonly spanId: string }[];
}

const FOLDER = new URL('../../model/codec/jaeger/testdata/', import.meta.url);
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.bin'))
  .map((name) => name.slice(0, -'.bin'.length));

test('requests of all clients are here', () => {
  assert.ok(NAMES.length >= 20);
});

for (const name of NAMES) {
  test(`${name} is delivered and answered as its client expects`, async () => {
    const captured = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as Captured;
    const body = readFileSync(new URL(`${name}.bin`, FOLDER));
    await using rig = await startJaegerRig({ udp: captured.transport === 'udp' });
    await SENDERS[captured.transport](rig, captured, body);
    assert.deepEqual(rig.bugs, []);
    const ids = rig.batches.flatMap(({ bytes }) => shownSpans(bytes)).map(({ spanId }) => spanId);
    assert.deepEqual(
      ids,
      captured.spans.map(({ spanId }) => spanId),
    );
  });
}

type Send = (rig: JaegerRig, captured: Captured, body: Buffer) => Promise<void>;

const SENDERS: Readonly<Record<Captured['transport'], Send>> = {
  'http/1.1': sendHttp,
  'grpc/h2c': sendGrpc,
  udp: sendUdp,
};

async function sendHttp(rig: JaegerRig, captured: Captured, body: Buffer): Promise<void> {
  const headers = new Headers();
  for (const [name, value] of captured.headers) {
    // What belongs to the connection is fetch's.
    if (/^(host|connection|content-length|transfer-encoding)$/i.test(name)) continue;
    headers.append(name, value);
  }
  const url = `http://127.0.0.1:${rig.httpPort}${captured.path}`;
  const response = await fetch(url, { method: 'POST', headers, body });
  assert.equal(response.status, 202);
  assert.equal(await response.text(), '');
  assert.deepEqual(rig.outcomes, ['ok']);
}

async function sendGrpc(rig: JaegerRig, captured: Captured, body: Buffer): Promise<void> {
  const session = connect(`http://127.0.0.1:${rig.grpc.port}`);
  const headers = Object.fromEntries(
    captured.headers.filter(([name]) => name !== ':authority' && name !== ':scheme'),
  );
  const answer = await call(session, { headers, frames: [body] });
  session.destroy();
  assert.equal(answer.code, 0);
  // An empty message: prefix only.
  assert.deepEqual([...answer.data], [0, 0, 0, 0, 0]);
  assert.deepEqual(rig.outcomes, ['ok']);
}

async function sendUdp(rig: JaegerRig, _captured: Captured, body: Buffer): Promise<void> {
  const socket = createSocket('udp4');
  socket.send(body, rig.udpPort, '127.0.0.1', () => socket.close());
  await once(socket, 'close');
  for (let waitedMs = 0; waitedMs < 5000 && !rig.datagrams.has('ok'); waitedMs += 5) await sleep(5);
  assert.deepEqual([...rig.datagrams], [['ok', 1]]);
}
