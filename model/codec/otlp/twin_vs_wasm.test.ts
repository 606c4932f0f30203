// The WebAssembly transcoder against its twin: the same answer to every input, the same bytes in
// every block. The long run is fuzz.slow.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ATTRIBUTES_PER_SPAN_MAX,
  BLOCK_ROWS_MAX,
  COMPLEX_VALUE_BYTES_MAX,
  EVENT_BYTES_MAX,
  EVENTS_PER_SPAN_MAX,
  KEY_BYTES_MAX,
  LINKS_PER_SPAN_MAX,
  NAME_BYTES_MAX,
  RESOURCE_ATTRIBUTES_MAX,
  RESOURCE_BYTES_MAX,
  SERVICE_NAME_BYTES_MAX,
  SPAN_BYTES_MAX,
  STRING_VALUE_BYTES_MAX,
} from '../../limits.ts';
import { type CompareOptions, compareWithTwin } from './testing/compare.ts';
import { fuzz } from './testing/fuzz.ts';
import { MAX_AGE_SECONDS, plainRequest, RECORD_UNIX_NANOS } from './testing/request_arbitrary.ts';
import { encodeRequest } from './testing/request_encoder.ts';
import {
  arrayValue,
  attribute,
  bytesValue,
  concat,
  doubleValue,
  field,
  fixed64Field,
  intValue,
  requestOf,
  requestUnder,
  spanMessage,
  stringValue,
} from './testing/wire_bytes.ts';
import { loadTranscoder } from './transcoder.ts';
import type { TwinRecord } from './twin.ts';

const SEED = 20_261_123;
const OPTIONS = { maxAgeSeconds: MAX_AGE_SECONDS };
const NONE = new Uint8Array(0);
/** Cut in the middle, by every number of bytes that a character may have. */
const CHARACTERS = ['a', 'é', '結', '🧭', Uint8Array.of(0x80), Uint8Array.of(0xff)];
const transcoder = await loadTranscoder();

function agree(records: readonly TwinRecord[], options: CompareOptions = OPTIONS): number {
  const { difference, spans } = compareWithTwin(transcoder, records, options);
  assert.equal(difference, undefined);
  return spans;
}

function agreeOn(...spans: readonly Uint8Array[]): void {
  const record = { tenant: 't', bytes: requestOf(...spans), recordUnixNanos: RECORD_UNIX_NANOS };
  assert.equal(agree([record]), spans.length, 'no span is rejected');
}

/** How many spans were kept. */
function agreeUnder(resource: Uint8Array, scope: Uint8Array, ...spans: Uint8Array[]): number {
  const bytes = requestUnder(resource, scope, ...spans);
  return agree([{ tenant: 't', bytes, recordUnixNanos: RECORD_UNIX_NANOS }]);
}

/** Filled with the character up to about `bytes`, shifted by `shift` bytes of 'x'. */
function filled(character: Uint8Array | string, bytes: number, shift = 0): Uint8Array {
  const unit = Buffer.from(character);
  const all = Buffer.alloc(bytes, unit);
  return new Uint8Array(Buffer.concat([Buffer.alloc(shift, 'x'), all.subarray(shift)]));
}

const recent = (offset: number) => fixed64Field(7, RECORD_UNIX_NANOS + BigInt(offset));
const span = (...more: readonly Uint8Array[]) => spanMessage(recent(0), ...more);

test('they agree on random requests of several records and tenants', () => {
  const record = fc.record({
    tenant: fc.constantFrom('default', 'a', 'ž', ''),
    bytes: plainRequest.map(encodeRequest),
    recordUnixNanos: fc.constantFrom(0n, 1n, -5000n).map((off) => RECORD_UNIX_NANOS + off),
  });
  const property = fc.property(
    fc.array(record, { maxLength: 6 }),
    fc.integer({ min: 1, max: 20 }),
    (records, blockRowsMax) => {
      agree(records, { ...OPTIONS, blockRowsMax });
    },
  );
  fc.assert(property, { seed: SEED, numRuns: 500 });
});

test('they agree on ten thousand mutated requests', () => {
  const options = { seed: SEED, iterations: 10_000, secondsMax: 60, disagreementsMax: 3 };
  const report = fuzz(transcoder, options);
  assert.deepEqual(report.disagreements, []);
  assert.ok(report.malformed > 1000 && report.spans > 1000);
});

test('they agree on where texts are cut', () => {
  const limits = [SERVICE_NAME_BYTES_MAX, NAME_BYTES_MAX, STRING_VALUE_BYTES_MAX];
  for (const character of CHARACTERS) {
    for (const max of limits) {
      for (const [over, shift] of [-1, 0, 1, 2, 3].flatMap((o) => [0, 1, 2].map((s) => [o, s]))) {
        const text = filled(character, max + (over ?? 0), shift);
        const attributes = [attribute('k', stringValue(text)), attribute('', stringValue(text))];
        const resource = field(1, attribute('service.name', stringValue(text)));
        const inner = attributes.map((pair) => field(9, pair));
        const scope = concat(field(1, text), field(2, text));
        agreeUnder(resource, scope, span(...inner, field(5, text), field(15, field(2, text))));
      }
    }
  }
});

test('they agree on keys and values around their limits', () => {
  for (const over of [-1, 0, 1]) {
    const key = 'k'.repeat(KEY_BYTES_MAX + over);
    const values = [stringValue('v'), intValue(1n), doubleValue(1), bytesValue(NONE), NONE];
    const pairs = values.map((value) => attribute(key, value));
    const complex = filled('x', COMPLEX_VALUE_BYTES_MAX - 4 + over);
    const large = [
      attribute('b', bytesValue(complex)),
      attribute('a', arrayValue(stringValue(complex))),
      attribute('u', field(40, complex)),
    ];
    const inEvent = field(11, ...pairs.map((pair) => field(3, pair)));
    const resource = concat(...[...pairs, ...large].map((pair) => field(1, pair)));
    const all = [...pairs, ...large].map((pair) => field(9, pair));
    assert.equal(agreeUnder(resource, field(3, pairs[0]!), span(...all, inEvent)), 1);
  }
});

test('they agree on the most attributes, events and links', () => {
  const many = (count: number, make: (i: number) => Uint8Array) =>
    concat(...Array.from({ length: count }, (_, i) => make(i)));
  const pair = (i: number) => attribute(`${i}`, i % 2 === 0 ? intValue(BigInt(i)) : NONE);
  for (const over of [-1, 0, 1, 5]) {
    const attributes = many(ATTRIBUTES_PER_SPAN_MAX + over, (i) => field(9, pair(i)));
    const events = many(EVENTS_PER_SPAN_MAX + over, (i) => field(11, field(2, `${i}`)));
    const links = many(LINKS_PER_SPAN_MAX + over, (i) => field(13, field(3, `${i}`)));
    agreeOn(span(attributes), span(events), span(links), span(links, events, attributes));
    const resource = many(2 * RESOURCE_ATTRIBUTES_MAX + over, (i) => field(1, pair(i)));
    const scope = many(2 * RESOURCE_ATTRIBUTES_MAX + over, (i) => field(3, pair(i)));
    agreeUnder(resource, concat(scope, field(1, 'library')), span());
  }
});

test('they agree on events, links, resources and spans around their most bytes', () => {
  const sized = (bytes: number) => {
    const overhead = field(1000, new Uint8Array(bytes)).length - bytes;
    return field(1000, new Uint8Array(bytes - overhead));
  };
  for (const over of [-1, 0, 1]) {
    const note = sized(EVENT_BYTES_MAX + over);
    agreeOn(span(field(11, note), field(11, field(2, 'small')), field(13, note)));
    const origin = sized(RESOURCE_BYTES_MAX + over);
    const kept = over > 0 ? 0 : 1;
    assert.equal(agreeUnder(origin, NONE, span()), kept);
    assert.equal(agreeUnder(NONE, origin, span()), kept);
    const padding = sized(SPAN_BYTES_MAX + over - span().length);
    assert.equal(agreeUnder(NONE, NONE, concat(span(), padding)), kept);
  }
});

test('they agree on doubles as text', () => {
  const bits = fc.sample(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), {
    seed: SEED,
    numRuns: 2000,
  });
  for (let i = 0; i < bits.length; i += 200) {
    const pairs = bits.slice(i, i + 200).map((value) => attribute('d', fixed64Field(4, value)));
    const resource = concat(...pairs.map((pair) => field(1, pair)));
    agreeUnder(resource, NONE, span(...pairs.map((pair) => field(9, pair))));
  }
});

test('they agree on dictionaries of 255, 256, 257 and many entries', () => {
  for (const count of [254, 255, 256, 257, 5000]) {
    const spans = Array.from({ length: count }, (_, i) => {
      return span(recent(i), field(5, `name ${i}`), field(9, attribute(`${i}`, intValue(1n))));
    });
    agreeOn(...spans);
  }
});

test('they agree on where a block ends when a dictionary is full', () => {
  const keysPerSpan = 1000;
  const spans = Array.from({ length: 140 }, (_, i) => {
    const keys = Array.from({ length: keysPerSpan }, (_, j) => `${i * keysPerSpan + j}`);
    return span(recent(i), ...keys.map((key) => field(9, attribute(key, intValue(1n)))));
  });
  agreeOn(...spans);
});

test('they agree on a block of the most rows and the rows after it', () => {
  const spansPerRecord = 500;
  const records = Array.from({ length: BLOCK_ROWS_MAX / spansPerRecord + 1 }, (_, i) => {
    const spans = Array.from({ length: spansPerRecord }, (_, j) => span(recent((i * j) % 7000)));
    return { tenant: 't', bytes: requestOf(...spans), recordUnixNanos: RECORD_UNIX_NANOS };
  });
  assert.equal(agree(records), BLOCK_ROWS_MAX + spansPerRecord);
});

const KIB = 1024;
const DAY_NANOS = 86_400n * 1_000_000_000n;

test('they agree on rows that fill the buffer before the most rows are reached', () => {
  const text = stringValue('x'.repeat(60 * KIB));
  const records = Array.from({ length: 50 }, (_, i) => {
    const spans = Array.from({ length: 20 }, (_, j) => {
      return span(recent(i * 20 + j), field(9, attribute('k', text)));
    });
    return { tenant: 't', bytes: requestOf(...spans), recordUnixNanos: RECORD_UNIX_NANOS };
  });
  assert.equal(agree(records, { ...OPTIONS, cutsEarlier: true }), 1000);
});

test('they agree on a large resource and scope that every tenant and day writes again', () => {
  const pair = (i: number) => attribute(`${i}`, stringValue(filled('é', 4 * KIB - 20)));
  const pairs = Array.from({ length: 255 }, (_, i) => pair(i));
  const resource = concat(...pairs.map((inner) => field(1, inner)));
  const scope = concat(...pairs.map((inner) => field(3, inner)));
  const spans = Array.from({ length: 30 }, (_, day) => {
    return spanMessage(fixed64Field(7, RECORD_UNIX_NANOS - BigInt(day) * DAY_NANOS));
  });
  const bytes = requestUnder(resource, scope, ...spans);
  const records = ['a', 'b'].map((tenant) => {
    return { tenant, bytes, recordUnixNanos: RECORD_UNIX_NANOS };
  });
  assert.equal(agree(records, { ...OPTIONS, cutsEarlier: true }), 60);
});

test('they agree as well after thousands of blocks, which once grew into the input', () => {
  const small = { tenant: 't', bytes: requestOf(span()), recordUnixNanos: RECORD_UNIX_NANOS };
  const text = stringValue('x'.repeat(60 * KIB));
  const spans = Array.from({ length: 50 }, (_, i) =>
    span(recent(i), field(9, attribute('k', text))),
  );
  const large = { ...small, bytes: requestOf(...spans) };
  for (let round = 0; round < 12; round++) {
    for (let i = 0; i < 400; i++) transcoder.transcode([small], OPTIONS);
    // Many blocks of one input: a block that writes where it should not spoils the next one.
    assert.equal(agree([large], { ...OPTIONS, blockRowsMax: 1 }), 50);
  }
});

test('they agree on what takes the most room for its bytes', () => {
  const many = (count: number, part: Uint8Array) =>
    new Uint8Array(Buffer.alloc(count * part.length, part));
  const plain = attribute('', stringValue(''));
  const note = many(20_000, field(3, plain));
  const linked = many(20_000, field(4, plain));
  const doubles = many(300, field(1, attribute('', doubleValue(-5e-324))));
  const spans = Array.from({ length: 8 }, (_, i) => {
    const empties = concat(many(1024, field(9)), many(1024, field(11)), many(1024, field(13)));
    return span(recent(i), empties, i % 2 === 0 ? field(11, note) : field(13, linked));
  });
  assert.equal(agreeUnder(doubles, doubles, ...spans), 8);
});
