import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VALUE_DEPTH_MAX } from '../../limits.ts';
import { JSON_DEPTH_MAX } from './json_scan.ts';
import { jsonToProto } from './json_to_proto.ts';
import { plain, RequestType } from './testing/proto_root.ts';

const utf8 = new TextEncoder();

function transcode(json: string | Uint8Array): Uint8Array {
  const result = jsonToProto(typeof json === 'string' ? utf8.encode(json) : json);
  assert.ok(result.ok, result.ok ? '' : result.message);
  return result.bytes;
}

function refusal(json: string | Uint8Array): string {
  const result = jsonToProto(typeof json === 'string' ? utf8.encode(json) : json);
  assert.ok(!result.ok, 'a refusal was expected');
  return result.message;
}

/** A request with one span that holds exactly `fields` (JSON text without the braces). */
function withSpan(fields: string): string {
  return `{"resourceSpans":[{"scopeSpans":[{"spans":[{${fields}}]}]}]}`;
}

/** The one span of a request, decoded. */
function span(json: string): Record<string, unknown> {
  const request = plain(RequestType, transcode(json)) as {
    resourceSpans: { scopeSpans: { spans: Record<string, unknown>[] }[] }[];
  };
  return request.resourceSpans[0]?.scopeSpans[0]?.spans[0] ?? {};
}

/** The value of a span's one attribute, decoded. */
function value(json: string): unknown {
  const attributes = span(withSpan(`"attributes":[{"key":"k","value":${json}}]`))['attributes'];
  return (attributes as { value: unknown }[])[0]?.value;
}

test('64-bit numbers keep every digit, as JSON numbers and as strings', () => {
  for (const digits of ['1700000000123456789', '18446744073709551615', '0', '999999999999999']) {
    for (const text of [digits, `"${digits}"`]) {
      const { startTimeUnixNano = '0' } = span(withSpan(`"startTimeUnixNano":${text}`));
      assert.equal(startTimeUnixNano, digits);
    }
  }
  for (const digits of ['9223372036854775807', '-9223372036854775808', '-1', '0']) {
    assert.deepEqual(value(`{"intValue":${digits}}`), { intValue: digits });
    assert.deepEqual(value(`{"intValue":"${digits}"}`), { intValue: digits });
  }
});

test('whole numbers may have an exponent or a zero fraction, and nothing else', () => {
  assert.deepEqual(value('{"intValue":1e3}'), { intValue: '1000' });
  assert.deepEqual(value('{"intValue":"2.50e1"}'), { intValue: '25' });
  assert.deepEqual(value('{"intValue":-4.0}'), { intValue: '-4' });
  for (const wrong of [
    '1.5',
    '"1.5"',
    '""',
    '" 1"',
    '"0x1"',
    '1e40',
    '1e999999999',
    'true',
    '[]',
  ]) {
    assert.match(refusal(withSpan(`"attributes":[{"value":{"intValue":${wrong}}}]`)), /intValue/);
  }
});

test('numbers out of the range of their field are refused, at the edge', () => {
  const edges: [string, string, string][] = [
    ['startTimeUnixNano', '18446744073709551615', '18446744073709551616'],
    ['startTimeUnixNano', '0', '-1'],
    ['droppedAttributesCount', '4294967295', '4294967296'],
    ['flags', '4294967295', '4294967296'],
    ['flags', '0', '-1'],
    ['kind', '2147483647', '2147483648'],
    ['kind', '-2147483648', '-2147483649'],
  ];
  for (const [key, inside, outside] of edges) {
    transcode(withSpan(`"${key}":${inside}`));
    assert.match(refusal(withSpan(`"${key}":${outside}`)), new RegExp(`spans\\[0\\].${key} must`));
  }
});

test('enums are taken by number and refused by name', () => {
  assert.equal(span(withSpan('"kind":3'))['kind'], 3);
  assert.match(
    refusal(withSpan('"kind":"SPAN_KIND_CLIENT"')),
    /kind must be the number of an enum/,
  );
  assert.match(refusal(withSpan('"status":{"code":"STATUS_CODE_OK"}')), /status.code/);
});

test('ids are hex in either case, of any whole number of bytes', () => {
  const id = '5b8EFFF798038103d269b633813fc60C';
  const base64 = Buffer.from(id, 'hex').toString('base64');
  assert.equal(span(withSpan(`"traceId":"${id}"`))['traceId'], base64);
  for (const bytes of [1, 7, 8, 9, 15, 17, 32]) {
    const { spanId } = span(withSpan(`"spanId":"${'ab'.repeat(bytes)}"`));
    assert.equal(Buffer.from(String(spanId), 'base64').length, bytes);
  }
  assert.deepEqual(span(withSpan('"parentSpanId":""')), {});
  for (const wrong of ['"abc"', '"zz"', '"W47/95gDgQPSabYzgT/GDA=="', '12', 'true']) {
    assert.match(refusal(withSpan(`"traceId":${wrong}`)), /traceId must be a string of hex digits/);
  }
});

test('doubles may be the three words of ProtoJSON, and not larger than a double', () => {
  assert.deepEqual(value('{"doubleValue":"NaN"}'), { doubleValue: Number.NaN });
  assert.deepEqual(value('{"doubleValue":"-Infinity"}'), { doubleValue: -Infinity });
  assert.deepEqual(value('{"doubleValue":"2.5"}'), { doubleValue: 2.5 });
  assert.deepEqual(value('{"doubleValue":5e-324}'), { doubleValue: 5e-324 });
  for (const wrong of ['1e400', '"1e400"', '"nan"', '"inf"', '"0x1p3"', '""', 'true', 'NaN']) {
    assert.match(
      refusal(withSpan(`"attributes":[{"value":{"doubleValue":${wrong}}}]`)),
      /must|JSON/,
    );
  }
});

test('bytes are base64 in both alphabets, padded or not', () => {
  for (const text of ['+/8=', '-_8=', '+/8', '-_8']) {
    assert.deepEqual(value(`{"bytesValue":"${text}"}`), { bytesValue: '+/8=' });
  }
  for (const wrong of ['"a"', '"a==="', '"+/8=="', '"a b="', '"=" ', '5']) {
    assert.match(
      refusal(withSpan(`"attributes":[{"value":{"bytesValue":${wrong}}}]`)),
      /bytesValue/,
    );
  }
});

test('null is absent, unknown keys are skipped, and snake_case keys are unknown', () => {
  const json = withSpan(
    '"name":null,"attributes":null,"trace_id":"zz","x":{"y":[1,{"z":"]}"}]},"kind":2',
  );
  assert.deepEqual(span(json), { kind: 2 });
  assert.match(refusal(withSpan('"attributes":[null]')), /attributes\[0\] must be an object/);
});

test('a key may be written with escapes', () => {
  assert.equal(span(withSpan('"n\\u0061me":"GET"'))['name'], 'GET');
});

test('of a key that comes twice the last one counts, and arrays add up', () => {
  const json = withSpan(
    '"name":"a","name":"b","attributes":[{"key":"1"}],"attributes":[{"key":"2"}]',
  );
  assert.equal(span(json)['name'], 'b');
  assert.deepEqual(span(json)['attributes'], [{ key: '1' }, { key: '2' }]);
});

test('names that mean something to JavaScript are only text', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const json = withSpan(
      `"${name}":{"x":1},"name":"${name}","attributes":[{"key":"${name}","value":{"stringValue":"${name}"}}]`,
    );
    assert.deepEqual(span(json), {
      name,
      attributes: [{ key: name, value: { stringValue: name } }],
    });
  }
});

test('strings are unescaped as JSON has it, lone surrogates become U+FFFD', () => {
  const pairs: [string, string][] = [
    ['\\"\\\\\\/\\b\\f\\n\\r\\t', '"\\/\b\f\n\r\t'],
    ['\\u00e9\\u7d50\\ud83e\\udded', 'é結🧭'],
    ['\\ud800', '\ufffd'],
    ['\\ud800\\u0041', '\ufffdA'],
    ['\\udc00x', '\ufffdx'],
    ['\\u0000', '\0'],
    ['größe', 'größe'],
  ];
  for (const [escaped, text] of pairs)
    assert.equal(span(withSpan(`"name":"${escaped}"`))['name'], text);
});

test('bytes that are no UTF-8 pass as they came, like those of protobuf strings', () => {
  const json = Buffer.from(withSpan('"name":"~"'), 'latin1').map((byte) =>
    byte === 0x7e ? 0xff : byte,
  );
  assert.ok(Buffer.from(transcode(json)).includes(Buffer.from([0x2a, 1, 0xff])));
});

test('a value of the greatest depth passes and one deeper is refused, as list and as map', () => {
  const lists = (depth: number): string =>
    depth === 1 ? '{"intValue":1}' : `{"arrayValue":{"values":[${lists(depth - 1)}]}}`;
  const maps = (depth: number): string =>
    depth === 1 ? '{}' : `{"kvlistValue":{"values":[{"key":"k","value":${maps(depth - 1)}}]}}`;
  for (const nest of [lists, maps]) {
    transcode(withSpan(`"attributes":[{"value":${nest(VALUE_DEPTH_MAX)}}]`));
    const deeper = withSpan(`"attributes":[{"value":${nest(VALUE_DEPTH_MAX + 1)}}]`);
    assert.match(refusal(deeper), /at most 49 values deep/);
  }
});

test('an unknown value is skipped to its greatest depth and refused beyond, however long it is', () => {
  const nest = (depth: number): string => `{"x":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  assert.equal(transcode(nest(JSON_DEPTH_MAX)).length, 0);
  assert.match(refusal(nest(JSON_DEPTH_MAX + 1)), /nested deeper than 64 levels/);
  for (const open of ['[', '{"a":']) {
    const before = process.threadCpuUsage();
    refusal(`{"x":${open.repeat(2_000_000)}`);
    refusal(`{"resourceSpans":${open.repeat(2_000_000)}`);
    const { user, system } = process.threadCpuUsage(before);
    assert.ok(user + system < 250_000, 'refused without reading it all');
  }
});

test('what is no JSON is refused, cut off at any byte too', () => {
  const whole = withSpan(
    '"name":"a\\u0041","kind":2,"attributes":[{"value":{"doubleValue":1.5e3}}],"x":null',
  );
  transcode(whole);
  for (let length = 0; length < whole.length; length++) refusal(whole.slice(0, length));
  for (const wrong of [
    'null',
    '[]',
    '1',
    '{"a":01}',
    '{"a":+1}',
    '{"a":1.}',
    '{"a":.5}',
    "{'a':1}",
  ]) {
    refusal(wrong);
  }
  for (const wrong of [
    '{"a":1,}',
    '{"a":[1,]}',
    '{} {}',
    '{"a":"\n"}',
    '{"a":"\\x"}',
    '{"a":"\\u12g4"}',
  ]) {
    refusal(wrong);
  }
});

test('a refusal names the place and nothing of the data', () => {
  const json = '{"resourceSpans":[{},{"scopeSpans":[{"spans":[{"name":"secret"},{"name":1}]}]}]}';
  assert.equal(refusal(json), 'resourceSpans[1].scopeSpans[0].spans[1].name must be a string');
});

test('a byte order mark and white space change nothing', () => {
  assert.equal(transcode('\ufeff \t\r\n{ "x" : [ 1 , 2 ] }\n ').length, 0);
});

test('any request comes out as protobufjs has it', () => {
  fc.assert(
    fc.property(fc.array(requestSpan, { maxLength: 4 }), (spans) => {
      const request = {
        resourceSpans: [{ scopeSpans: [{ spans: spans.map((one) => one.proto) }] }],
      };
      const json = { resourceSpans: [{ scopeSpans: [{ spans: spans.map((one) => one.json) }] }] };
      const ours = transcode(JSON.stringify(json));
      const wanted = RequestType.encode(RequestType.fromObject(request)).finish();
      assert.deepEqual(plain(RequestType, ours), plain(RequestType, wanted));
    }),
    { numRuns: 300 },
  );
});

/** One value as OTLP/JSON writes it and as protobufjs takes it. */
interface Both {
  readonly json: unknown;
  readonly proto: unknown;
}

function same(arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<Both> {
  return arbitrary.map((one) => ({ json: one, proto: one }));
}

const hexId = (length: number): fc.Arbitrary<Both> =>
  fc
    .tuple(fc.uint8Array({ minLength: length, maxLength: length }), fc.boolean())
    .map(([bytes, upper]) => {
      const hex = Buffer.from(bytes).toString('hex');
      return { json: upper ? hex.toUpperCase() : hex, proto: bytes };
    });

const text = same(fc.string({ unit: 'binary' }));
const uint64 = same(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(String));
const uint32 = same(fc.integer({ min: 1, max: 2 ** 32 - 1 }));

/** An object of fields that are there or not, in JSON and for protobufjs. */
function object(fields: Record<string, fc.Arbitrary<Both>>): fc.Arbitrary<Both> {
  return fc.record(fields, { requiredKeys: [] }).map((record) => pick(record));
}

function pick(record: Partial<Record<string, Both>>): Both {
  const half = (side: 'json' | 'proto') =>
    Object.fromEntries(Object.entries(record).map(([key, both]) => [key, both?.[side]]));
  return { json: half('json'), proto: half('proto') };
}

function list(of: fc.Arbitrary<Both>): fc.Arbitrary<Both> {
  return fc.array(of, { maxLength: 3 }).map((items) => ({
    json: items.map((item) => item.json),
    proto: items.map((item) => item.proto),
  }));
}

const { anyValue } = fc.letrec<{ anyValue: Both }>((tie) => {
  const one = (key: string, of: fc.Arbitrary<Both>) => of.map((both) => pick({ [key]: both }));
  const pair = object({ key: text, value: tie('anyValue') });
  return {
    anyValue: fc.oneof(
      { maxDepth: 4 },
      one('stringValue', text),
      one('boolValue', same(fc.boolean())),
      one('intValue', same(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String))),
      one('intValue', same(fc.integer())),
      one(
        'doubleValue',
        same(fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0)),
      ),
      one(
        'bytesValue',
        fc.uint8Array({ maxLength: 40 }).map((bytes) => ({
          json: Buffer.from(bytes).toString('base64'),
          proto: bytes,
        })),
      ),
      fc.constant({ json: {}, proto: {} }),
      one('arrayValue', object({ values: list(tie('anyValue')) })),
      one('kvlistValue', object({ values: list(pair) })),
    ),
  };
});

const attributes = list(object({ key: text, value: anyValue }));

const requestSpan = object({
  traceId: hexId(16),
  spanId: hexId(8),
  parentSpanId: hexId(8),
  traceState: text,
  name: text,
  kind: same(fc.integer({ min: 0, max: 5 })),
  startTimeUnixNano: uint64,
  endTimeUnixNano: uint64,
  attributes,
  droppedAttributesCount: uint32,
  events: list(
    object({ timeUnixNano: uint64, name: text, attributes, droppedAttributesCount: uint32 }),
  ),
  links: list(object({ traceId: hexId(16), spanId: hexId(8), attributes, flags: uint32 })),
  droppedLinksCount: uint32,
  status: object({ message: text, code: same(fc.constantFrom(0, 1, 2)) }),
  flags: uint32,
});
