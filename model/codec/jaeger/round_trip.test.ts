// Jaeger in, Jaeger out: what was sent is shown again, and nothing else but what §1.7 derives.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonSpanToOtlp } from './json_span.ts';
import type { Decoded } from './problem.ts';
import { postSpansToOtlp, spanToOtlp } from './proto_batch.ts';
import { type ShownSpan, shownSpans } from './testing/from_otlp.ts';
import {
  encodePostSpans,
  encodeProtoSpans,
  encodeThriftBatch,
  type PlainBatch,
  type PlainSpan,
  type PlainTag,
} from './testing/jaeger_span.ts';
import { encodeJsonSpans } from './testing/json_spans.ts';
import { plainBatch } from './testing/span_arbitrary.ts';
import { thriftToOtlp } from './thrift_to_otlp.ts';

const BYTES_MAX = 64 * 1024 * 1024;

/** Tags that our API adds, where none of that key was sent. */
const DERIVED = [
  'otel.scope.name',
  'otel.scope.version',
  'otel.status_code',
  'otel.status_description',
  'error',
];
const DERIVED_PROCESS = ['host.name'];

const FORMS: Readonly<Record<string, (batch: PlainBatch) => readonly Decoded[]>> = {
  'Thrift binary': (batch) => [
    thriftToOtlp(encodeThriftBatch(batch, 'strict'), 'either', BYTES_MAX),
  ],
  'Thrift compact': (batch) => [
    thriftToOtlp(encodeThriftBatch(batch, 'compact'), 'either', BYTES_MAX),
  ],
  protobuf: (batch) => [postSpansToOtlp(encodePostSpans(batch), BYTES_MAX)],
  'protobuf, span by span': (batch) =>
    encodeProtoSpans(batch).map((bytes) => spanToOtlp(bytes, BYTES_MAX)),
  'JSON, span by span': (batch) =>
    encodeJsonSpans(batch).map((bytes) => jsonSpanToOtlp(bytes, BYTES_MAX)),
};

for (const [form, translate] of Object.entries(FORMS)) {
  test(`${form}: every batch is shown as it was sent`, () => {
    fc.assert(
      fc.property(plainBatch, (batch) => {
        const shown = translate(batch).flatMap((decoded) => {
          assert.ok(decoded.ok);
          const spans = shownSpans(decoded.bytes);
          assert.equal(decoded.spans, spans.length);
          return spans;
        });
        assert.equal(shown.length, batch.spans.length);
        for (const [i, span] of batch.spans.entries()) {
          compare(shown[i] as ShownSpan, span, batch, form.startsWith('Thrift'));
        }
      }),
      { numRuns: 500 },
    );
  });
}

function compare(shown: ShownSpan, sent: PlainSpan, batch: PlainBatch, thrift: boolean): void {
  assert.equal(shown.service, batch.service);
  sameTags(shown.processTags, batch.processTags, DERIVED_PROCESS);
  assert.equal(shown.traceId, sent.traceId);
  assert.equal(shown.spanId, sent.spanId);
  assert.equal(shown.name, sent.name);
  assert.equal(shown.startNanos, sent.startMicros * 1000n);
  assert.equal(shown.durationNanos, sent.durationMicros * 1000n);
  assert.deepEqual(sorted(shown.references), sorted(expectedReferences(sent, thrift)));
  const flags = sent.flags > 0xff ? [{ key: 'jaeger.flags', value: int(sent.flags) }] : [];
  assert.equal(shown.flags, sent.flags & 0xff);
  sameTags(shown.tags, [...sent.tags, ...flags], DERIVED);
  assert.equal(shown.logs.length, sent.logs.length);
  for (const [i, log] of sent.logs.entries()) {
    assert.equal(shown.logs[i]?.nanos, log.micros * 1000n);
    sameTags(shown.logs[i]?.fields ?? [], log.fields, []);
  }
}

/** Thrift has the parent beside the references, often in both. */
function expectedReferences(span: PlainSpan, thrift: boolean): readonly object[] {
  if (!thrift || span.parentId === '') return span.references;
  const { traceId, parentId: spanId } = span;
  const has = span.references.some(
    (one) => one.type === 'child_of' && one.traceId === traceId && one.spanId === spanId,
  );
  return has ? span.references : [{ type: 'child_of', traceId, spanId }, ...span.references];
}

function sameTags(
  shown: readonly PlainTag[],
  sent: readonly PlainTag[],
  derived: readonly string[],
): void {
  const keys = new Set(sent.map(({ key }) => key));
  const kept = shown.filter(({ key }) => keys.has(key) || !derived.includes(key));
  assert.deepEqual(sorted(kept), sorted(sent));
}

function int(value: number): readonly ['int', bigint] {
  return ['int', BigInt(value)];
}

function sorted(items: readonly object[]): readonly string[] {
  return items.map(textOf).sort();
}

function textOf(item: object): string {
  return JSON.stringify(item, (_key, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`;
    // Key order and the zero's sign are no difference, and Infinity is no null.
    if (typeof value === 'number') return String(value);
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
