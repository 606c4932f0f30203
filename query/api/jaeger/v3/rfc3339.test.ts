import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRfc3339 } from './rfc3339.ts';

const NOON = BigInt(Date.UTC(2026, 10, 23, 12)) * 1_000_000n;

test('times are read to the nanosecond, in any zone', () => {
  assert.equal(parseRfc3339('2026-11-23T12:00:00Z'), NOON);
  assert.equal(parseRfc3339('2026-11-23T12:00:00.000000001Z'), NOON + 1n);
  assert.equal(parseRfc3339('2026-11-23T12:00:00.5Z'), NOON + 500_000_000n);
  assert.equal(parseRfc3339('2026-11-23T12:00:00.123456789999Z'), NOON + 123_456_789n);
  assert.equal(parseRfc3339('2026-11-23T14:00:00+02:00'), NOON);
  assert.equal(parseRfc3339('2026-11-23T06:30:00-05:30'), NOON);
  assert.equal(parseRfc3339('1970-01-01T00:00:00Z'), 0n);
  assert.equal(parseRfc3339('0001-01-01T00:00:00Z'), -62_135_596_800_000_000_000n);
});

test('a plus sign that a URL has made a blank is a plus sign', () => {
  assert.equal(parseRfc3339('2026-11-23T14:00:00 02:00'), NOON);
});

test('what is no time of the calendar is none', () => {
  for (const text of [
    '',
    '1763899200000',
    '2026-11-23',
    '2026-11-23T12:00:00',
    '2026-11-23 12:00:00Z',
    '2026-02-30T12:00:00Z',
    '2026-13-01T12:00:00Z',
    '2026-00-01T12:00:00Z',
    '2026-11-23T24:00:00Z',
    '2026-11-23T12:60:00Z',
    '2026-11-23T12:00:60Z',
    '2026-11-23T12:00:00+24:00',
    '2026-11-23T12:00:00.Z',
    ' 2026-11-23T12:00:00Z',
    '2026-11-23T12:00:00Z; DROP TABLE spans',
  ]) {
    assert.equal(parseRfc3339(text), undefined, text);
  }
});
