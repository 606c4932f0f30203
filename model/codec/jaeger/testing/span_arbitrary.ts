// Jaeger batches of any shape, with the tags that mean something more often than others.

import fc from 'fast-check';
import type { PlainBatch, PlainReference, PlainSpan, PlainTag, PlainValue } from './jaeger_span.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 60 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
/** Until the year 2255, where numbers end. */
const micros = fc.bigInt({ min: 0n, max: 2n ** 53n - 1n });

const value: fc.Arbitrary<PlainValue> = fc.oneof(
  text.map((string) => ['string', string] as const),
  fc.boolean().map((bool) => ['bool', bool] as const),
  int64.map((int) => ['int', int] as const),
  fc.double({ noNaN: true }).map((double) => ['double', double] as const),
  fc
    .uint8Array({ maxLength: 20 })
    .map((bytes) => ['binary', Buffer.from(bytes).toString('base64')] as const),
);

const KEYS = [
  'span.kind',
  'error',
  'otel.status_code',
  'otel.status_description',
  'w3c.tracestate',
  'otel.scope.name',
  'otel.scope.version',
  'otel.library.name',
  'otel.library.version',
  'http.status_code',
  'http.status_message',
  'event',
  'hostname',
  'host.name',
  'service.name',
];
const WORDS = ['server', 'client', 'OK', 'ERROR', 'true', 'false', '404', '500', 'x'];

const meaningful: fc.Arbitrary<PlainTag> = fc.record({
  key: fc.constantFrom(...KEYS),
  value: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...WORDS).map((word) => ['string', word] as const) },
    { weight: 2, arbitrary: fc.constant(['bool', true] as const) },
    { weight: 1, arbitrary: fc.constantFrom(200n, 404n, 500n).map((n) => ['int', n] as const) },
    { weight: 1, arbitrary: value },
  ),
});

const tag = fc.oneof(meaningful, fc.record({ key: text, value }));
const tags = fc.array(tag, { maxLength: 12 });

/** Few different ones, so that references meet the span's own trace and parent. */
const traceId = fc.constantFrom(
  '000000000000000061dc36e9aef604ee',
  '19700a761ac9e79d404ce527852f1e33',
  'ffffffffffffffffffffffffffffffff',
);
const spanId = fc.constantFrom('499892e2272a11ee', 'ffffffffffffffff', '0000000000000001');

const reference: fc.Arbitrary<PlainReference> = fc.record({
  type: fc.constantFrom('child_of' as const, 'follows_from' as const),
  traceId,
  spanId,
});

const span: fc.Arbitrary<PlainSpan> = fc.record({
  traceId,
  spanId,
  parentId: fc.oneof(fc.constant(''), spanId),
  name: text,
  references: fc.array(reference, { maxLength: 4 }),
  flags: fc.oneof(fc.constantFrom(0, 1, 3), fc.nat({ max: 2 ** 31 - 1 })),
  startMicros: micros,
  durationMicros: fc.bigInt({ min: -(10n ** 12n), max: 10n ** 15n }),
  tags,
  logs: fc.array(fc.record({ micros, fields: tags }), { maxLength: 4 }),
});

export const plainBatch: fc.Arbitrary<PlainBatch> = fc.record({
  service: text.filter((name) => name !== ''),
  processTags: tags,
  spans: fc.array(span, { maxLength: 5 }),
});
