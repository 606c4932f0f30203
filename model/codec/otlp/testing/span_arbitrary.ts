// Arbitrary parts of spans, as the types of model/span.ts, for tests that send and read them back.

import fc from 'fast-check';
import type { Attribute, Resource, Scope, SpanEvent, SpanLink, Value } from '../../../span.ts';

// Null prototypes would differ from what is read, in nothing that matters here.
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;

export const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const count = fc.nat(0xffff_ffff);
const uint64 = fc.bigInt(0n, 2n ** 63n - 1n);

const { attribute } = fc.letrec<{ value: Value; attribute: Attribute }>((tie) => ({
  attribute: record({ key: text, value: tie('value') }),
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constant<Value>({ type: 'empty' }),
    record({ type: fc.constant('string' as const), value: text }),
    record({ type: fc.constant('bool' as const), value: fc.boolean() }),
    record({
      type: fc.constant('int' as const),
      value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    }),
    record({ type: fc.constant('double' as const), value: fc.double() }),
    record({
      type: fc.constant('bytes' as const),
      value: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    }),
    record({ type: fc.constant('array' as const), value: fc.array(tie('value')) }),
    record({ type: fc.constant('map' as const), value: fc.array(tie('attribute')) }),
  ),
}));

export const attributes = fc.array(attribute, { maxLength: 5 });
export const hex = (length: number): fc.Arbitrary<string> =>
  fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((bytes) => Buffer.from(bytes).toString('hex'));

export const event: fc.Arbitrary<SpanEvent> = record({
  timeUnixNanos: uint64,
  name: text,
  attributes,
  droppedAttributesCount: count,
});

export const link: fc.Arbitrary<SpanLink> = record({
  traceId: hex(16),
  spanId: hex(8),
  traceState: text,
  attributes,
  droppedAttributesCount: count,
  flags: count,
});

export const resource: fc.Arbitrary<Resource> = record({
  attributes,
  droppedAttributesCount: count,
  schemaUrl: text,
});

export const scope: fc.Arbitrary<Scope> = record({
  name: text,
  version: text,
  attributes,
  droppedAttributesCount: count,
  schemaUrl: text,
});
