import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkTwin, transcodeTwin } from '../twin.ts';
import { type ComparedTranscoder, compareWithTwin } from './compare.ts';
import { fuzz } from './fuzz.ts';
import { mutate } from './mutator.ts';
import { seededRandom } from './prng.ts';
import { MAX_AGE_SECONDS, plainRequest, RECORD_UNIX_NANOS } from './request_arbitrary.ts';
import { encodeRequest } from './request_encoder.ts';

const SEED = 7;

function mutants(count: number): Uint8Array[] {
  const random = seededRandom(SEED);
  const pool = fc.sample(plainRequest, { seed: SEED, numRuns: 50 }).map(encodeRequest);
  const draw = () => random.pick(pool) ?? new Uint8Array(0);
  return Array.from({ length: count }, () => mutate(draw(), draw(), random));
}

test('the same seed gives the same mutants', () => {
  assert.deepEqual(mutants(200), mutants(200));
});

test('many mutants are malformed, many are not, and many of those have spans', () => {
  const options = { recordUnixNanos: RECORD_UNIX_NANOS, maxAgeSeconds: MAX_AGE_SECONDS };
  const results = mutants(2000).map((bytes) => checkTwin(bytes, options));
  const wellFormed = results.filter((result) => result.ok);
  const withSpans = wellFormed.filter((result) => result.spans > 0);
  const counts = [results.length - wellFormed.length, wellFormed.length, withSpans.length];
  assert.ok(Math.min(...counts) > 300, `malformed, well formed, with spans: ${counts}`);
});

test('no mutant makes the twin throw anything', () => {
  const options = { recordUnixNanos: RECORD_UNIX_NANOS, maxAgeSeconds: MAX_AGE_SECONDS };
  for (const bytes of mutants(1000)) {
    if (!checkTwin(bytes, options).ok) continue;
    transcodeTwin([{ tenant: 't', bytes, recordUnixNanos: RECORD_UNIX_NANOS }], options);
  }
});

/** The twin, but with one fault each: the comparison has to find it. */
const twin: ComparedTranscoder = {
  check: (bytes, recordUnixNanos, maxAgeSeconds) =>
    checkTwin(bytes, { recordUnixNanos, maxAgeSeconds }),
  transcode: (records, options) => transcodeTwin(records, options),
};

const FAULTS: Record<string, ComparedTranscoder> = {
  'values may be one deeper': {
    ...twin,
    check: (bytes, recordUnixNanos, maxAgeSeconds) =>
      checkTwin(bytes, { recordUnixNanos, maxAgeSeconds, limits: { VALUE_DEPTH_MAX: 50 } }),
  },
  'the window is a nanosecond longer': {
    ...twin,
    check: (bytes, recordUnixNanos, maxAgeSeconds) =>
      checkTwin(bytes, { recordUnixNanos: recordUnixNanos + 1n, maxAgeSeconds }),
  },
  'names are one byte shorter': {
    ...twin,
    transcode: (records, options) =>
      transcodeTwin(records, { ...options, limits: { NAME_BYTES_MAX: 1023 } }),
  },
  'the last byte of a block is off by one': {
    ...twin,
    transcode: (records, options) => {
      const result = transcodeTwin(records, options);
      for (const { native } of result.blocks) native[native.length - 1]! ^= 1;
      return result;
    },
  },
};

const FUZZ = { seed: SEED, iterations: 20_000, secondsMax: 120, disagreementsMax: 1 };

for (const [name, faulty] of Object.entries(FAULTS)) {
  test(`the fuzz finds the fault that ${name}`, () => {
    const report = fuzz(faulty, FUZZ);
    assert.equal(report.disagreements.length, 1);
    const [found] = report.disagreements;
    const again = fuzz(faulty, { ...FUZZ, iterations: (found?.iteration ?? 0) + 1 });
    assert.deepEqual(again.disagreements, report.disagreements, 'and finds it again');
  });
}

test('the fuzz finds nothing where nothing differs', () => {
  const report = fuzz(twin, { ...FUZZ, iterations: 1000 });
  assert.deepEqual(report.disagreements, []);
  assert.ok(report.requests >= 1000 && report.spans > 300 && report.malformed > 100);
});

test('a difference names the column that it stands in', () => {
  const bytes = encodeRequest({
    resourceSpans: [
      {
        scopeSpans: [
          {
            spans: [
              {
                traceId: new Uint8Array(16).fill(1),
                spanId: new Uint8Array(8).fill(1),
                startTimeUnixNano: String(RECORD_UNIX_NANOS),
                name: 'x'.repeat(1024),
              },
            ],
          },
        ],
      },
    ],
  });
  const records = [{ tenant: 't', bytes, recordUnixNanos: RECORD_UNIX_NANOS }];
  const flags = {
    ...twin,
    transcode: (...args: Parameters<typeof twin.transcode>) => {
      const result = twin.transcode(...args);
      const native = Buffer.from(result.blocks[0]?.native ?? []);
      native.writeUInt32LE(9, native.indexOf('flags') + 'flags'.length + 1 + 'UInt32'.length);
      return { ...result, blocks: [{ native, rows: 1 }] };
    },
  };
  const { difference } = compareWithTwin(flags, records, { maxAgeSeconds: MAX_AGE_SECONDS });
  assert.match(difference ?? '', /^block 0, byte \d+ \(column flags\)/);
});
