import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type Encoding, isEmptyTaken, toOtlp } from './encoding.ts';
import { mutate } from './otlp/testing/mutator.ts';
import { seededRandom } from './otlp/testing/prng.ts';
import { plain, RequestType } from './otlp/testing/proto_root.ts';
import { jsonVersion } from './zipkin/json_version.ts';

const SEED = 20_261_123;
/** For each encoding; the decoders themselves are tried a million times (fuzz.slow.test.ts). */
const MUTATIONS = 3_000;

const NOW_MICROS = 1_795_416_050_000_000;
/** The type of the elements, and their count. */
const LIST_HEADER_BYTES = 5;

const ZIPKIN = new URL('zipkin/testdata/', import.meta.url);

interface Captured {
  readonly name: string;
  readonly format: string;
  readonly bytes: Uint8Array;
}

/** What real tracers sent. */
function captured(): Captured[] {
  return readdirSync(ZIPKIN)
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      const { format } = JSON.parse(readFileSync(new URL(name, ZIPKIN), 'utf8')) as Captured;
      const sent = readFileSync(new URL(name.replace(/json$/, 'bin'), ZIPKIN));
      const bytes = sent[0] === 0x1f && sent[1] === 0x8b ? gunzipSync(sent) : sent;
      return { name, format, bytes: new Uint8Array(bytes) };
    });
}

interface Shown {
  readonly resourceSpans?: readonly {
    readonly scopeSpans?: readonly {
      readonly spans?: readonly { readonly spanId: string; readonly startTimeUnixNano: string }[];
    }[];
  }[];
}

function spansOf(encoding: Encoding, bytes: Uint8Array) {
  const otlp = toOtlp(encoding, bytes, NOW_MICROS);
  assert.ok(otlp !== undefined, `${encoding} was not taken`);
  const request = plain(RequestType, otlp) as Shown;
  return (request.resourceSpans ?? []).flatMap(({ scopeSpans }) =>
    (scopeSpans ?? []).flatMap(({ spans }) => spans ?? []),
  );
}

const OF_FORMAT: Readonly<Record<string, Encoding>> = {
  'zipkin-v1-json': 'zipkin_json',
  'zipkin-v2-json': 'zipkin_json',
  'zipkin-v2-proto3': 'zipkin_proto',
  'zipkin-v1-thrift': 'zipkin_thrift',
};

test('what real Zipkin tracers send is taken, and JSON of both versions is told apart', () => {
  let versions = 0;
  for (const { name, format, bytes } of captured()) {
    const encoding = OF_FORMAT[format] ?? assert.fail(`${name} is of no encoding`);
    assert.ok(isEmptyTaken(encoding) && toOtlp(encoding, bytes, NOW_MICROS) !== undefined, name);
    if (encoding !== 'zipkin_json' || spansOf(encoding, bytes).length === 0) continue;
    assert.equal(jsonVersion(bytes), format === 'zipkin-v1-json' ? 1 : 2, name);
    versions += format === 'zipkin-v1-json' ? 1 : 1000;
  }
  assert.ok(versions % 1000 > 1 && versions > 5000, 'both versions were there');
});

test('the version of Zipkin JSON is told by the first key that only one has', () => {
  const cases: readonly (readonly [string, 1 | 2])[] = [
    ['[]', 2],
    ['', 2],
    ['[{}]', 2],
    ['[{"traceId":"1","id":"1"}]', 2],
    ['[{"traceId":"1","id":"1","annotations":[]},{"binaryAnnotations":[]}]', 1],
    ['[{"annotations":[{"value":"sr","timestamp":1,"endpoint":{}}]}]', 1],
    ['[{"annotations":[{},{"value":"x","timestamp":1}],"kind":"CLIENT"}]', 2],
    ['[{"annotations":null,"shared":true}]', 2],
    // Words of the other version that are no keys of a span.
    ['[{"name":"binaryAnnotations\\"","tags":{"binaryAnnotations":"\\"endpoint\\""}}]', 2],
    ['[{"binaryAnnotations":[{"key":"tags","value":"localEndpoint"}]}]', 1],
  ];
  for (const [json, version] of cases) assert.equal(jsonVersion(Buffer.from(json)), version, json);
});

test('an empty message of Zipkin holds no span', () => {
  const empty: readonly (readonly [Encoding, string])[] = [
    ['zipkin_json', ''],
    ['zipkin_json', '[]'],
    ['zipkin_proto', ''],
    ['zipkin_thrift', ''],
    ['zipkin_thrift', '\x0c\0\0\0\0'],
    ['otlp_json', '{}'],
  ];
  for (const [encoding, text] of empty) {
    assert.deepEqual(spansOf(encoding, Buffer.from(text, 'latin1')), [], `${encoding} "${text}"`);
  }
});

test('one Thrift span without a list around it is taken', () => {
  const isListOfOne = ({ format, bytes }: Captured) =>
    format === 'zipkin-v1-thrift' && bytes[4] === 1;
  const list = captured().find(isListOfOne)?.bytes ?? assert.fail('no list of one span');
  const spans = spansOf('zipkin_thrift', list);
  assert.equal(spans.length, 1);
  assert.deepEqual(spansOf('zipkin_thrift', list.subarray(LIST_HEADER_BYTES)), spans);
});

test('the time of its record is given to a span without any, so that a replay gives it again', () => {
  const json = Buffer.from('[{"traceId":"a","id":"b","localEndpoint":{"serviceName":"s"}}]');
  const [span] = spansOf('zipkin_json', json);
  assert.equal(span?.startTimeUnixNano, `${NOW_MICROS}000`);
  assert.deepEqual(toOtlp('zipkin_json', json, 7), toOtlp('zipkin_json', json, 7));
});

test('what is of another encoding is not taken', () => {
  const bytes = Buffer.from('{"traceId":');
  const all = ['otlp_json', 'jaeger_proto', 'jaeger_json', 'zipkin_json', 'zipkin_proto'] as const;
  for (const encoding of [...all, 'zipkin_thrift'] as const) {
    assert.equal(toOtlp(encoding, bytes, NOW_MICROS), undefined, encoding);
  }
  for (const json of ['[{]', '[{"a"}]', '{}', '[1]', '[{"annotations":[{"a":}]}]']) {
    assert.equal(toOtlp('zipkin_json', Buffer.from(json), NOW_MICROS), undefined, json);
  }
});

test('no message makes a translation throw, in whatever encoding it is read', () => {
  const random = seededRandom(SEED);
  const pool = captured().map(({ bytes }) => bytes);
  const none = new Uint8Array(0);
  const encodings = [...new Set(Object.values(OF_FORMAT)), 'jaeger_proto', 'jaeger_json'] as const;
  for (const encoding of encodings as readonly Encoding[]) {
    let taken = 0;
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = mutate(random.pick(pool) ?? none, random.pick(pool) ?? none, random);
      if (toOtlp(encoding, bytes, NOW_MICROS) !== undefined) taken++;
    }
    assert.ok(taken < MUTATIONS, encoding);
  }
});
