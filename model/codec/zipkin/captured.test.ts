// Requests that unmodified tracers sent (testdata/), decoded to what their .json says.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Span } from '../../span.ts';
import { jsonV1ToOtlp } from './json_v1.ts';
import { jsonV2ToOtlp } from './json_v2.ts';
import { proto3ToOtlp } from './proto3.ts';
import { spansOf } from './testing/spans_of.ts';
import { thriftV1ToOtlp } from './thrift_v1.ts';
import { toZipkinSpan } from './to_json.ts';
import type { Endpoint } from './v1_span.ts';

interface Captured {
  readonly headers?: readonly (readonly [string, string])[];
  readonly format: string;
  readonly spans: readonly CapturedSpan[];
}

interface CapturedSpan {
  readonly service: string | null;
  readonly name: string;
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  readonly startUnixNanos: string;
  readonly durationUs: number;
  readonly attributes: Readonly<Record<string, readonly [string, unknown]>>;
  readonly events: readonly { readonly name: string; readonly unixNanos: string }[];
  readonly localEndpoint?: Endpoint | null;
  readonly remoteEndpoint?: Endpoint | null;
}

const FOLDER = new URL('./testdata/', import.meta.url);
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length));

const DECODERS: Readonly<Record<string, typeof jsonV2ToOtlp>> = {
  'zipkin-v2-json': jsonV2ToOtlp,
  'zipkin-v1-json': jsonV1ToOtlp,
  'zipkin-v2-proto3': proto3ToOtlp,
  'zipkin-v1-thrift': thriftV1ToOtlp,
};

const KINDS = ['', '', 'server', 'client', 'producer', 'consumer'];

test('requests of all Zipkin tracers are here', () => {
  assert.ok(NAMES.length >= 30, String(NAMES.length));
});

for (const name of NAMES) {
  test(`${name} says what its tracer recorded`, () => {
    const captured = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as Captured;
    const sent = readFileSync(new URL(`${name}.bin`, FOLDER));
    const body = sent[0] === 0x1f && sent[1] === 0x8b ? gunzipSync(sent) : sent;
    const decode = DECODERS[captured.format];
    assert.ok(decode, captured.format);
    const answer = decode(new Uint8Array(body), 1);
    assert.ok(answer.ok, JSON.stringify(answer));
    // A v1 span has no endpoint of its own to say.
    const isV1 = captured.format.startsWith('zipkin-v1');
    const got = spansOf(answer.bytes).map((span) => comparable(span, isV1));
    assert.equal(answer.spans, got.length);
    assert.deepEqual(got.sort(byId), captured.spans.map(expected).sort(byId));
  });
}

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1;
}

function comparable(span: Span, isV1: boolean) {
  const zipkin = toZipkinSpan(span);
  return {
    id: span.spanId,
    traceId: zipkin.traceId,
    parentId: zipkin.parentId ?? null,
    service: span.service,
    name: span.name,
    kind: KINDS[span.kind],
    startUnixNanos: String(span.startUnixNanos),
    durationUs: Number(span.durationNanos) / 1000,
    tags: { ...zipkin.tags },
    annotations: zipkin.annotations ?? [],
    local: isV1 ? {} : { ...zipkin.localEndpoint },
    remote: { ...zipkin.remoteEndpoint },
  };
}

function expected(span: CapturedSpan) {
  const tags = Object.entries(span.attributes).map(([key, [, value]]) => [key, String(value)]);
  return {
    id: span.spanId,
    // Written as 32 digits by some, which is the same id.
    traceId: span.traceId.replace(/^0{16}/, ''),
    parentId: span.parentId === '0000000000000000' ? null : span.parentId,
    service: span.service ?? '',
    name: span.name,
    kind: KINDS.includes(span.kind) ? span.kind : '',
    startUnixNanos: span.startUnixNanos,
    durationUs: span.durationUs,
    tags: Object.fromEntries(tags) as Record<string, string>,
    annotations: span.events
      .map((event) => ({ timestamp: Number(BigInt(event.unixNanos) / 1000n), value: event.name }))
      .sort((a, b) => a.timestamp - b.timestamp),
    local: { ...span.localEndpoint },
    remote: { ...span.remoteEndpoint },
  };
}
