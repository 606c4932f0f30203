import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import {
  attributes,
  event,
  hex,
  link,
  resource,
  scope,
  text,
} from '../model/codec/otlp/testing/span_arbitrary.ts';
import { UNKNOWN_SERVICE } from '../model/limits.ts';
import type { Attribute, Span, SpanKind, StatusCode, Value } from '../model/span.ts';
import { getTraces, traceKeyOf } from './get.ts';
import { openTestEngine, type TestEngine } from './testing/engine.ts';
import { HOUR, NOON, traceId } from './testing/spans.ts';

let engine: TestEngine;
before(() => {
  engine = openTestEngine();
});
after(() => engine.close());

const NONZERO = /[1-9a-f]/;

const span: fc.Arbitrary<Omit<Span, 'traceId'>> = fc.record(
  {
    spanId: hex(8).filter((id) => NONZERO.test(id)),
    parentSpanId: fc.oneof(
      fc.constant(''),
      hex(8).filter((id) => NONZERO.test(id)),
    ),
    name: text,
    service: fc.constant(UNKNOWN_SERVICE),
    kind: fc.nat(5).map((kind) => kind as SpanKind),
    startUnixNanos: fc.bigInt(NOON - 30n * HOUR, NOON),
    durationNanos: fc.bigInt(-HOUR, 100n * HOUR),
    statusCode: fc.nat(2).map((code) => code as StatusCode),
    statusMessage: text,
    traceState: text,
    flags: fc.nat(0xffff_ffff),
    attributes,
    events: fc.array(event, { maxLength: 3 }),
    links: fc.array(link, { maxLength: 3 }),
    droppedAttributesCount: fc.nat(9),
    droppedEventsCount: fc.nat(0xffff_ffff),
    droppedLinksCount: fc.nat(1),
    resource,
    scope,
  },
  { noNullPrototype: true },
);

/** Attributes are kept by type; within a type the order is the one that was sent. */
const TYPES: readonly Value['type'][] = ['string', 'int', 'double', 'bool'];
const byType = (list: readonly Attribute[]): Attribute[] => {
  const rank = ({ value }: Attribute): number => (TYPES.indexOf(value.type) + 5) % 5;
  return list.toSorted((a, b) => rank(a) - rank(b));
};

function sorted(spans: readonly Span[]): Span[] {
  return spans
    .map((one) => ({ ...one, attributes: byType(one.attributes) }))
    .toSorted((a, b) => (a.spanId < b.spanId ? -1 : 1));
}

test('whatever is sent within the limits is read back as it was', async () => {
  let n = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(span, { minLength: 1, maxLength: 8, selector: (one) => one.spanId }),
      async (parts) => {
        const id = traceId(n++);
        const sent = parts.map((part) => ({ ...part, traceId: id }));
        engine.insert(sent);
        const [trace] = await Array.fromAsync(
          getTraces(engine.select, 'default', [traceKeyOf(id)!]),
        );
        assert.deepEqual(sorted(trace?.spans ?? []), sorted(sent));
      },
    ),
    { numRuns: 40, endOnFailure: true },
  );
});
