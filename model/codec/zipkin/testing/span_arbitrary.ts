// Zipkin v2 spans as Zipkin itself would write them: what it normalises away does not occur.

import fc from 'fast-check';
import type { Endpoint, V2Span } from '../v1_span.ts';

const digit = fc.constantFrom(...'0123456789abcdef');

function hex(digits: number): fc.Arbitrary<string> {
  return fc
    .array(digit, { minLength: digits, maxLength: digits })
    .map((all) => all.join(''))
    .filter((id) => !/^0+$/.test(id.slice(0, 16)));
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((t) => t.isWellFormed());
const name = text.filter((t) => t !== '');
const octet = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(octet, octet, octet, octet).map((all) => all.join('.'));
const ipv6 = fc.constantFrom('2001:db8::c001', 'fe80::1', '::1', '1:2:3:4:5:6:7:8', '2001:db8::');
const micros = fc.integer({ min: 1, max: 2 ** 52 });

const endpoint: fc.Arbitrary<Endpoint | undefined> = fc
  .record(
    { serviceName: name, ipv4, ipv6, port: fc.integer({ min: 1, max: 65535 }) },
    { requiredKeys: [] },
  )
  .map((found) => (Object.keys(found).length === 0 ? undefined : found));

/** Keys that a converter might take for its own, among others. */
const tagKey = fc.oneof(
  text,
  fc.constantFrom(
    ...['error', 'otel.status_code', 'otel.status_description', 'peer.service', 'zipkin.debug'],
    ...['network.peer.address', 'network.peer.port', 'zipkin.remote', 'zipkin.tag.x', '__proto__'],
    ...['otel.zipkin.absentField.startTime', 'zipkin.tag.zipkin.tag.', 'zipkin.shared', 'net'],
  ),
);
const tagValue = fc.oneof(text, fc.constantFrom('OK', 'ERROR', 'true', 'false', ''));

const tags = fc.array(fc.tuple(tagKey, tagValue), { maxLength: 8 }).map((entries) => {
  const object = Object.create(null) as Record<string, string>;
  for (const [key, value] of entries) object[key] = value;
  return object;
});

const annotations = fc.array(fc.record({ timestamp: micros, value: text }), { maxLength: 4 });

const kind = fc.constantFrom(undefined, 'CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER');

export const zipkinSpan: fc.Arbitrary<V2Span> = fc
  .record({
    traceId: fc.oneof(hex(16), hex(32)),
    id: hex(16),
    parentId: fc.option(hex(16), { nil: undefined }),
    kind,
    name: fc.option(name, { nil: undefined }),
    timestamp: fc.option(micros, { nil: undefined }),
    duration: fc.option(micros, { nil: undefined }),
    localEndpoint: endpoint,
    remoteEndpoint: endpoint,
    annotations: fc.option(annotations, { nil: undefined }),
    tags: fc.option(tags, { nil: undefined }),
    debug: fc.constantFrom(undefined, true),
    shared: fc.constantFrom(undefined, true),
  })
  .map((span) => span as V2Span);
