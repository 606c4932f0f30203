import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UNKNOWN_SERVICE } from '../../limits.ts';
import type { Span, SpanKind, StatusCode } from '../../span.ts';
import { encodeSpans } from './encode.ts';
import { jsonToProto } from './json_to_proto.ts';
import { readSpans } from './read_request.ts';
import { attributes, event, hex, link, resource, scope, text } from './testing/span_arbitrary.ts';
import { resourceSpansJson } from './to_json.ts';
import { WireReader } from './wire_reader.ts';

const span: fc.Arbitrary<Span> = fc.record(
  {
    traceId: hex(16),
    spanId: hex(8),
    parentSpanId: fc.oneof(fc.constant(''), hex(8)),
    name: text,
    service: fc.constant(UNKNOWN_SERVICE),
    kind: fc.nat(5).map((kind) => kind as SpanKind),
    startUnixNanos: fc.bigInt(0n, 2n ** 62n),
    durationNanos: fc.bigInt(-(2n ** 40n), 2n ** 62n),
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

function readBack(json: string): Span[] {
  const proto = jsonToProto(Buffer.from(json));
  assert.ok(proto.ok, proto.ok ? '' : proto.message);
  return [...readSpans(new WireReader(proto.bytes))];
}

const tracesData = (spans: readonly Span[]): string =>
  `{"resourceSpans":[${[...resourceSpansJson(spans)].join('')}]}`;

test('spans as OTLP/JSON read back as they were, whatever is in them', () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 4 }), (spans) => {
      const json = tracesData(spans);
      JSON.parse(json);
      assert.deepEqual(readBack(json), spans);
    }),
    { numRuns: 300 },
  );
});

test('spans as protobuf read back as they were', () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 4 }), (spans) => {
      assert.deepEqual([...readSpans(new WireReader(encodeSpans(spans)))], spans);
    }),
    { numRuns: 100 },
  );
});

const PLAIN: Span = {
  traceId: '00000000000000000000000000000001',
  spanId: '0000000000000002',
  parentSpanId: '',
  name: 'foobar',
  service: UNKNOWN_SERVICE,
  kind: 2,
  startUnixNanos: 0n,
  durationNanos: 0n,
  statusCode: 2,
  statusMessage: '',
  traceState: '',
  flags: 0,
  attributes: [],
  events: [],
  links: [],
  droppedAttributesCount: 0,
  droppedEventsCount: 0,
  droppedLinksCount: 0,
  resource: { attributes: [], droppedAttributesCount: 0, schemaUrl: '' },
  scope: { name: '', version: '', attributes: [], droppedAttributesCount: 0, schemaUrl: '' },
};

test('defaults are left out, but for resource, scope and status', () => {
  assert.equal(
    tracesData([PLAIN]),
    '{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{' +
      '"traceId":"00000000000000000000000000000001","spanId":"0000000000000002",' +
      '"name":"foobar","kind":2,"status":{"code":2}}]}]}]}',
  );
  assert.equal(tracesData([]), '{"resourceSpans":[]}');
});

test('values keep their type, and 64-bit integers are strings', () => {
  const json = tracesData([
    {
      ...PLAIN,
      startUnixNanos: 1_764_000_000_000_000_001n,
      attributes: [
        { key: 'i', value: { type: 'int', value: 2n ** 60n } },
        { key: 'd', value: { type: 'double', value: Number.NaN } },
        { key: 'z', value: { type: 'double', value: -0 } },
        { key: 'b', value: { type: 'bytes', value: Uint8Array.of(255, 0) } },
        { key: 'e', value: { type: 'empty' } },
        { key: 'm', value: { type: 'map', value: [] } },
      ],
    },
  ]);
  assert.match(json, /"startTimeUnixNano":"1764000000000000001"/);
  assert.ok(
    json.includes(
      '"attributes":[{"key":"i","value":{"intValue":"1152921504606846976"}},' +
        '{"key":"d","value":{"doubleValue":"NaN"}},{"key":"z","value":{"doubleValue":-0}},' +
        '{"key":"b","value":{"bytesValue":"/wA="}},{"key":"e","value":{}},' +
        '{"key":"m","value":{"kvlistValue":{"values":[]}}}]',
    ),
    json,
  );
});

test('spans of one resource and scope stand together, and a long list comes in pieces', () => {
  const other = { ...PLAIN.resource, schemaUrl: 'https://example.org/1' };
  const spans = Array.from({ length: 3000 }, (_, i) =>
    i % 2 === 0 ? PLAIN : { ...PLAIN, resource: other },
  );
  const pieces = [...resourceSpansJson(spans)];
  const parsed = JSON.parse(`[${pieces.join('')}]`) as { scopeSpans: { spans: unknown[] }[] }[];
  assert.deepEqual(
    parsed.map(({ scopeSpans }) => scopeSpans.map((one) => one.spans.length)),
    [[1500], [1500]],
  );
  assert.ok(pieces.length > 2 && pieces.every((piece) => piece.length < 70_000));
});
