import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readDuration, readTime } from './json_time.ts';

test('times are read to the nanosecond, with any offset', () => {
  const cases: readonly (readonly [string, number, number])[] = [
    ['2026-11-23T06:40:50Z', 1_795_416_050, 0],
    ['2026-11-23T06:40:50.217427Z', 1_795_416_050, 217_427_000],
    ['2026-11-23t06:40:50.000000001z', 1_795_416_050, 1],
    ['2026-11-23T08:10:50.5+01:30', 1_795_416_050, 500_000_000],
    ['2026-11-22T22:40:50-08:00', 1_795_416_050, 0],
    ['1969-12-31T23:59:59.9Z', -1, 900_000_000],
    ['2024-02-29T00:00:00Z', 1_709_164_800, 0],
    ['0001-01-01T00:00:00Z', -62_135_596_800, 0],
    ['9999-12-31T23:59:60Z', 253_402_300_800, 0],
  ];
  for (const [text, seconds, nanos] of cases) {
    assert.deepEqual(readTime(text), { seconds, nanos }, text);
  }
  const wrong = [
    ...['', '2026-11-23', '2026-11-23T06:40:50', '2026-13-01T00:00:00Z', '2023-02-29T00:00:00Z'],
    ...[
      '2026-11-23T24:00:00Z',
      '2026-11-23T06:60:00Z',
      '2026-11-23T06:40:50.Z',
      '2026-00-01T00:00:00Z',
    ],
    ...['2026-11-23T06:40:50.1234567890Z', '2026-11-23T06:40:50+1:00', ' 2026-11-23T06:40:50Z'],
  ];
  for (const text of wrong) assert.equal(readTime(text), undefined, text);
});

test('every time that JavaScript writes is read as it was', () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (ms) => {
      const { seconds = 0, nanos = 0 } = readTime(new Date(ms).toISOString()) ?? {};
      assert.equal(seconds * 1000 + nanos / 1e6, ms);
    }),
  );
});

test('durations are decimal seconds of either sign', () => {
  assert.deepEqual(readDuration('0s'), { seconds: 0, nanos: 0 });
  assert.deepEqual(readDuration('1.5s'), { seconds: 1, nanos: 500_000_000 });
  assert.deepEqual(readDuration('0.000001000s'), { seconds: 0, nanos: 1000 });
  const { seconds, nanos } = readDuration('-3.25s') ?? {};
  assert.deepEqual([seconds, nanos], [-3, -250_000_000]);
  for (const text of ['', '1', 's', '1.s', '.5s', '1e3s', '+1s', '1ms', '1.0000000001s']) {
    assert.equal(readDuration(text), undefined, text);
  }
});
