// Nothing is lost: Zipkin in, stored as OTLP, Zipkin out.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonV2ToOtlp } from './json_v2.ts';
import { zipkinSpan } from './testing/span_arbitrary.ts';
import { spansOf } from './testing/spans_of.ts';
import { toZipkinSpan } from './to_json.ts';
import { V1Batch } from './v1_batch.ts';
import type { V2Span } from './v1_span.ts';

/** What Zipkin takes for the same: order, repetition, empty lists, a client that is shared. */
function normal(span: V2Span): unknown {
  const copy = JSON.parse(JSON.stringify(span)) as V2Span;
  const tags = Object.entries(span.tags ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const seen = new Set((span.annotations ?? []).map((a) => JSON.stringify([a.timestamp, a.value])));
  if (copy.parentId === copy.id) delete copy.parentId;
  if (copy.kind === 'CLIENT') delete copy.shared;
  delete copy.tags;
  delete copy.annotations;
  return { ...copy, tags, annotations: [...seen].sort() };
}

test('a span that came as JSON goes back as it came, whatever its tags are called', () => {
  const check = fc.property(fc.array(zipkinSpan, { maxLength: 5 }), (spans) => {
    const json = new TextEncoder().encode(JSON.stringify(spans));
    const answer = jsonV2ToOtlp(json, 1);
    assert.ok(answer.ok, JSON.stringify(answer));
    const byText = (all: unknown[]) => all.map((span) => JSON.stringify(span)).sort();
    const back = spansOf(answer.bytes).map(toZipkinSpan);
    assert.deepEqual(byText(back.map(sortKeys)), byText(spans.map(sortKeys)));
  });
  fc.assert(check, { numRuns: 2000 });
});

/** The same for spans that are written from objects, as v1 spans are. */
test('both ways in write the same bytes', () => {
  const check = fc.property(zipkinSpan, (span) => {
    const answer = jsonV2ToOtlp(new TextEncoder().encode(JSON.stringify([span])), 1);
    const batch = new V1Batch(1, 100);
    batch.addV2(span);
    assert.ok(answer.ok);
    assert.deepEqual(spansOf(batch.finish().bytes), spansOf(answer.bytes));
  });
  fc.assert(check, { numRuns: 500 });
});

function sortKeys(span: V2Span): unknown {
  const found = normal(span) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(found)
      .map(([key, value]): [string, unknown] => [key, isEndpoint(key) ? entries(value) : value])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function isEndpoint(key: string): boolean {
  return key.endsWith('Endpoint');
}

function entries(value: unknown): unknown {
  return Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1));
}
