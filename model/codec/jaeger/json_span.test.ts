import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { jsonSpanToOtlp } from './json_span.ts';
import type { Decoded } from './problem.ts';
import { spanToOtlp } from './proto_batch.ts';
import { type ShownSpan, shownSpans } from './testing/from_otlp.ts';

const BYTES_MAX = 1024 * 1024;
const FOLDER = new URL('testdata/kafka/', import.meta.url);

function shown(decoded: Decoded): ShownSpan {
  assert.ok(decoded.ok, JSON.stringify(decoded));
  const [span, ...more] = shownSpans(decoded.bytes);
  assert.ok(span !== undefined && more.length === 0);
  return span;
}

function json(text: string): Decoded {
  return jsonSpanToOtlp(Buffer.from(text), BYTES_MAX);
}

for (const name of ['server', 'client']) {
  test(`the ${name} span of a real producer says the same as JSON and as protobuf`, () => {
    const proto = readFileSync(new URL(`${name}.bin`, FOLDER));
    const text = readFileSync(new URL(`${name}.json`, FOLDER));
    const span = shown(jsonSpanToOtlp(text, BYTES_MAX));
    assert.deepEqual(span, shown(spanToOtlp(proto, BYTES_MAX)));
    assert.equal(span.service, 'shop');
    assert.equal(span.traceId, '19700a761ac9e79d404ce527852f1e33');
  });
}

test('nothing of a real span is rounded', () => {
  const span = shown(jsonSpanToOtlp(readFileSync(new URL('server.json', FOLDER)), BYTES_MAX));
  assert.equal(span.startNanos, 1_795_416_050_217_427_000n);
  assert.equal(span.durationNanos, 1_500_001n);
  const values = new Map(span.tags.map(({ key, value }) => [key, value]));
  assert.deepEqual(values.get('i'), ['int', 9_007_199_254_740_993n]);
  assert.deepEqual(values.get('d'), ['double', 0.1]);
  assert.deepEqual(values.get('b'), ['bool', false]);
  assert.deepEqual(values.get('bytes'), ['binary', 'AP8=']);
  assert.deepEqual(values.get('w3c.tracestate'), ['string', 'a=b']);
});

test('names as in the .proto file, numbers for enums and null are taken, as ProtoJSON has it', () => {
  const span = shown(
    json(
      '{"trace_id":"AAAAAAAAAAo=","span_id":"AAAAAAAAAAs","operation_name":"x","flags":null,' +
        '"references":[{"trace_id":"AAAAAAAAAAo=","span_id":"AAAAAAAAAAw=","ref_type":1}],' +
        '"tags":[{"key":"k","v_type":2,"v_int64":5}],"unknown":{"a":[1,{}]},"process":{}}',
    ),
  );
  assert.equal(span.traceId, '0000000000000000000000000000000a');
  assert.deepEqual(span.references, [
    {
      type: 'follows_from',
      traceId: '0000000000000000000000000000000a',
      spanId: '000000000000000c',
    },
  ]);
  assert.deepEqual(span.tags, [{ key: 'k', value: ['int', 5n] }]);
});

test('what is wrong is told by its place, and never by what stood there', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['[]', /the JSON body must be an object/],
    ['{"traceId":"?"}', /traceId must be a base64 string/],
    ['{"startTime":"yesterday"}', /startTime must be a time as RFC 3339/],
    ['{"duration":"1h"}', /duration must be a duration in seconds/],
    ['{"tags":[{"vType":"UUID"}]}', /tags\[0\]\.vType must be one of STRING, BOOL/],
    ['{"tags":[{"vType":7}]}', /v_type/],
    ['{"tags":[{"vInt64":1.5}]}', /tags\[0\]\.vInt64 must be a whole number/],
    [`{"startTime":"${'2'.repeat(100_000)}"}`, /startTime must be a time/],
    [`{"x":${'['.repeat(1000)}`, /nested deeper/],
    ['{"spanId":"', /a string does not end/],
  ];
  for (const [text, message] of cases) {
    const decoded = json(text);
    assert.ok(!decoded.ok, text);
    assert.match(decoded.message, message);
  }
});
