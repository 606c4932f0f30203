// Random ExportTraceServiceRequests as plain objects, small ones: every kind of field, there or not,
// empty or not.

import fc from 'fast-check';
import type { PlainRequest, PlainSpan } from './plain_request.ts';
import { attributes, name, odd, some, text, uint32 } from './value_arbitrary.ts';

/** Record time of the requests: half an hour before midnight, so that blocks cross a day. */
export const RECORD_UNIX_NANOS = 1_790_033_400n * 1_000_000_000n;
export const MAX_AGE_SECONDS = 30 * 86_400;

const HOUR_NANOS = 3600n * 1_000_000_000n;

const id = (length: number) => {
  const random = fc.uint8Array({ minLength: length, maxLength: length });
  // Few ids, so that spans share traces and parents.
  const shared = fc.integer({ min: 1, max: 4 }).map((n) => new Uint8Array(length).fill(n));
  return fc.oneof({ weight: 1, arbitrary: random }, { weight: 3, arbitrary: shared });
};

const badId = fc.constantFrom(new Uint8Array(0), new Uint8Array(8), new Uint8Array(16));

/** Within two hours of the record, far within the window; often equal. */
const time = fc
  .oneof(
    fc.bigInt({ min: -HOUR_NANOS * 2n, max: HOUR_NANOS * 2n }),
    fc.constantFrom(0n, 1n, 300n * 1_000_000_000n, HOUR_NANOS / 2n, HOUR_NANOS / 2n - 1n),
  )
  .map((offset) => String(RECORD_UNIX_NANOS + offset));

/** At and past the ends of the window. */
const edgeTime = fc.constantFrom(
  ...[0n, 1n, -1n].flatMap((off) => [
    String(RECORD_UNIX_NANOS - BigInt(MAX_AGE_SECONDS) * 1_000_000_000n + off),
    String(RECORD_UNIX_NANOS + HOUR_NANOS * 24n + off),
  ]),
  ...['0', '9223372036854775807', '9223372036854775808', '18446744073709551615'],
);

function rarely<T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>, times = 50): fc.Arbitrary<T> {
  return fc.oneof({ weight: times - 1, arbitrary: usual }, { weight: 1, arbitrary: rare });
}

const event = odd(some({ timeUnixNano: time, name, attributes, droppedAttributesCount: uint32 }));
const link = odd(
  some({
    traceId: rarely(id(16), badId),
    spanId: rarely(id(8), badId),
    traceState: text,
    attributes,
    droppedAttributesCount: uint32,
    flags: uint32,
  }),
);
const status = odd(some({ message: name, code: fc.constantFrom(0, 1, 2, 3, -1) }));

const span: fc.Arbitrary<PlainSpan> = odd(
  fc
    .tuple(
      fc.record({
        traceId: rarely(id(16), badId),
        spanId: rarely(id(8), badId),
        startTimeUnixNano: rarely(time, edgeTime, 10),
      }),
      some({
        parentSpanId: rarely(id(8), badId),
        traceState: text,
        name,
        kind: fc.constantFrom(0, 1, 2, 3, 4, 5, 6, -1, 2 ** 31 - 1),
        endTimeUnixNano: rarely(time, edgeTime),
        attributes,
        droppedAttributesCount: uint32,
        events: fc.array(event, { maxLength: 2 }),
        droppedEventsCount: uint32,
        links: fc.array(link, { maxLength: 2 }),
        droppedLinksCount: uint32,
        status,
        flags: uint32,
      }),
    )
    .map(([must, may]) => ({ ...must, ...may })),
);

const resource = odd(
  some({
    attributes,
    droppedAttributesCount: uint32,
    entityRefs: fc.array(some({ schemaUrl: text, type: text }), { maxLength: 1 }),
  }),
);
const scope = odd(some({ name, version: text, attributes, droppedAttributesCount: uint32 }));

const scopeSpans = odd(some({ scope, spans: fc.array(span, { maxLength: 3 }), schemaUrl: text }));
const resourceSpans = odd(
  some({ resource, scopeSpans: fc.array(scopeSpans, { maxLength: 2 }), schemaUrl: text }),
);

/** A few resources with a few spans each: some hundred bytes to some thousand. */
export const plainRequest: fc.Arbitrary<PlainRequest> = odd(
  fc.record({ resourceSpans: fc.array(resourceSpans, { maxLength: 3 }) }),
);
