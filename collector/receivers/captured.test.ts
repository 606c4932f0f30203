// What unmodified OpenTelemetry SDKs sent (testdata/, see its README.md), sent again over real sockets.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { plain, RequestType } from '../../model/codec/otlp/testing/proto_root.ts';
import { call, post, type Rig, startRig, withGrpc } from './testing/rig.ts';

interface Captured {
  readonly transport: 'grpc/h2c' | 'http/1.1';
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly format: string;
  readonly spans: readonly CapturedSpan[];
}

interface CapturedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly startUnixNanos: string;
  readonly attributes: Readonly<Record<string, readonly [string, unknown]>>;
}

const FOLDER = new URL('./testdata/', import.meta.url);
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length));

test('requests of all SDKs are here', () => {
  assert.ok(NAMES.length >= 20);
});

for (const name of NAMES) {
  test(`${name} is delivered and answered as its SDK expects`, async () => {
    const captured = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as Captured;
    const body = readFileSync(new URL(`${name}.bin`, FOLDER));
    await using rig = await startRig();
    if (captured.transport === 'grpc/h2c') await sendGrpc(rig, captured, body);
    else await sendHttp(rig, captured, body);
    assert.deepEqual(rig.outcomes, ['ok']);
    assert.deepEqual(
      spansOf(rig.batches[0]?.bytes ?? new Uint8Array(0)),
      captured.spans.map(expectedSpan).sort(bySpanId),
    );
  });
}

async function sendHttp(rig: Rig, captured: Captured, body: Buffer): Promise<void> {
  const headers = new Headers();
  for (const [name, value] of captured.headers) {
    // What belongs to the connection is fetch's.
    if (/^(host|connection|content-length|transfer-encoding)$/i.test(name)) continue;
    headers.append(name, value);
  }
  const response = await post(rig, { path: captured.path, headers, body });
  assert.equal(response.status, 200);
  const json = captured.format === 'otlp-json';
  assert.equal(
    response.headers.get('content-type'),
    json ? 'application/json' : 'application/x-protobuf',
  );
  assert.equal(await response.text(), json ? '{}' : '');
}

async function sendGrpc(rig: Rig, captured: Captured, body: Buffer): Promise<void> {
  const headers = Object.fromEntries(
    captured.headers.filter(([name]) => name !== ':authority' && name !== ':scheme'),
  );
  const answer = await withGrpc(rig, (session) => call(session, { headers, frames: [body] }));
  assert.equal(answer.code, 0);
  // An empty message: prefix only.
  assert.deepEqual([...answer.data], [0, 0, 0, 0, 0]);
}

type Decoded = Record<string, unknown>;

function spansOf(bytes: Uint8Array): Decoded[] {
  const request = plain(RequestType, bytes) as {
    resourceSpans: { scopeSpans: { spans: Decoded[] }[] }[];
  };
  return request.resourceSpans
    .flatMap((resource) => resource.scopeSpans.flatMap((scope) => scope.spans))
    .map((span) => ({
      name: span['name'],
      traceId: hex(span['traceId']),
      spanId: hex(span['spanId']),
      start: span['startTimeUnixNano'],
      keys: ((span['attributes'] ?? []) as { key: string }[]).map(({ key }) => key).sort(),
    }))
    .sort(bySpanId);
}

function expectedSpan(span: CapturedSpan): Decoded {
  const { name, traceId, spanId, startUnixNanos: start } = span;
  return { name, traceId, spanId, start, keys: Object.keys(span.attributes).sort() };
}

function bySpanId(a: Decoded, b: Decoded): number {
  return String(a['spanId']) < String(b['spanId']) ? -1 : 1;
}

function hex(base64: unknown): string {
  return Buffer.from(String(base64), 'base64').toString('hex');
}
