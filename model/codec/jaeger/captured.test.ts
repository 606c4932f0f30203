// What unmodified Jaeger clients and OpenTelemetry's Jaeger exporters sent (testdata/README.md).

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BatchBuilder } from './batch_builder.ts';
import type { Decoded } from './problem.ts';
import { postSpansToOtlp } from './proto_batch.ts';
import { type ShownSpan, shownSpans } from './testing/from_otlp.ts';
import type { PlainTag } from './testing/jaeger_span.ts';
import { addDatagram, thriftToOtlp } from './thrift_to_otlp.ts';

type Values = Readonly<Record<string, readonly [string, unknown]>>;

interface Captured {
  readonly format: string;
  readonly spans: readonly {
    readonly service: string;
    readonly name: string;
    readonly kind: string;
    readonly traceId: string;
    readonly spanId: string;
    readonly parentId: string | null;
    readonly references: readonly { readonly type: string; readonly spanId: string }[];
    readonly flags?: number;
    readonly startUnixNanos: string;
    readonly durationUs: number;
    readonly attributes: Values;
    readonly events: readonly { readonly unixNanos: string; readonly attributes: Values }[];
    readonly resource: Values;
  }[];
}

const BYTES_MAX = 64 * 1024 * 1024;
const GRPC_PREFIX_BYTES = 5;

const FOLDER = new URL('./testdata/', import.meta.url);
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.bin'))
  .map((name) => name.slice(0, -'.bin'.length));

test('requests of all clients are here', () => {
  assert.ok(NAMES.length >= 20);
});

for (const name of NAMES) {
  test(`${name} is translated to the spans that its client recorded`, () => {
    const captured = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as Captured;
    const decoded = decode(captured.format, readFileSync(new URL(`${name}.bin`, FOLDER)));
    assert.ok(decoded.ok);
    assert.deepEqual(shownSpans(decoded.bytes).map(summary), captured.spans.map(expected));
  });
}

function decode(format: string, bytes: Buffer): Decoded {
  switch (format) {
    case 'jaeger-thrift-binary-batch':
      return thriftToOtlp(bytes, 'either', BYTES_MAX);
    case 'jaeger-proto':
      return postSpansToOtlp(bytes.subarray(GRPC_PREFIX_BYTES), BYTES_MAX);
    default: {
      assert.equal(format, 'jaeger-thrift-udp');
      const builder = new BatchBuilder(BYTES_MAX);
      const problem = addDatagram(bytes, builder);
      const { spans } = builder;
      return problem ?? { ok: true, bytes: builder.finish(), spans };
    }
  }
}

const DERIVED = ['otel.scope.name', 'otel.scope.version', 'otel.status_code', 'error'].concat([
  'otel.status_description',
  'host.name',
]);

function summary(span: ShownSpan) {
  return {
    service: span.service,
    name: span.name,
    kind: tagText(span.tags, 'span.kind'),
    traceId: span.traceId,
    spanId: span.spanId,
    parentId: span.parentId,
    flags: span.flags,
    startNanos: span.startNanos,
    durationNanos: span.durationNanos,
    tags: texts(span.tags),
    logs: span.logs.map(({ nanos, fields }) => ({ nanos, fields: texts(fields) })),
    process: texts(span.processTags.filter(({ key }) => key !== 'service.name')),
  };
}

function expected(span: Captured['spans'][number]): ReturnType<typeof summary> {
  return {
    service: span.service,
    name: span.name,
    kind: span.kind,
    traceId: span.traceId,
    spanId: span.spanId,
    parentId: span.parentId ?? '',
    flags: span.flags ?? 0,
    startNanos: BigInt(span.startUnixNanos),
    durationNanos: BigInt(Math.round(span.durationUs * 1000)),
    tags: sentTexts(span.attributes),
    logs: span.events.map(({ unixNanos, attributes }) => ({
      nanos: BigInt(unixNanos),
      fields: sentTexts(attributes),
    })),
    process: sentTexts(span.resource).filter((text) => !text.startsWith('service.name ')),
  };
}

function tagText(tags: readonly PlainTag[], key: string): string {
  return String(tags.find((tag) => tag.key === key)?.value[1] ?? '');
}

/** Without what may be derived: round_trip.test.ts is strict about that. */
function texts(tags: readonly PlainTag[]): readonly string[] {
  return tags
    .filter(({ key }) => !DERIVED.includes(key))
    .map(({ key, value }) => `${key} ${value[0]} ${value[1]}`)
    .sort();
}

function sentTexts(values: Values): readonly string[] {
  return Object.entries(values)
    .filter(([key]) => !DERIVED.includes(key))
    .map(([key, value]) => `${key} ${value[0]} ${value[1]}`)
    .sort();
}
