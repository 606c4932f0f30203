import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatGoDuration, parseGoDuration, quote } from './go_duration.ts';

test('durations are read as Go reads them', () => {
  const cases: [string, bigint][] = [
    ['0', 0n],
    ['-0', 0n],
    ['5s', 5_000_000_000n],
    ['30s', 30_000_000_000n],
    ['+5s', 5_000_000_000n],
    ['-5s', -5_000_000_000n],
    ['5.0s', 5_000_000_000n],
    ['5.6s', 5_600_000_000n],
    ['5.s', 5_000_000_000n],
    ['.5s', 500_000_000n],
    ['1.004s', 1_004_000_000n],
    ['100.00100s', 100_001_000_000n],
    ['10ns', 10n],
    ['11us', 11_000n],
    ['12µs', 12_000n],
    ['12μs', 12_000n],
    ['13ms', 13_000_000n],
    ['1.2ms', 1_200_000n],
    ['3h30m', 12_600_000_000_000n],
    ['10.5s4m', 250_500_000_000n],
    ['1h2m3s4ms5us6ns', 3_723_004_005_006n],
    ['0.3333333333333333333h', 1_199_999_999_999n],
    ['9223372036854775807ns', 2n ** 63n - 1n],
  ];
  for (const [text, nanos] of cases) {
    assert.deepEqual(parseGoDuration(text), { ok: true, nanos }, text);
  }
});

test('what is no duration is answered in the words of Go', () => {
  const cases: [string, string][] = [
    ['', 'time: invalid duration ""'],
    ['3', 'time: missing unit in duration "3"'],
    ['20', 'time: missing unit in duration "20"'],
    ['-', 'time: invalid duration "-"'],
    ['s', 'time: invalid duration "s"'],
    ['.', 'time: invalid duration "."'],
    ['-.', 'time: invalid duration "-."'],
    ['.s', 'time: invalid duration ".s"'],
    ['5 s', 'time: unknown unit " s" in duration "5 s"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['1"s', 'time: unknown unit "\\"s" in duration "1\\"s"'],
    ['9223372036854775808ns', 'time: invalid duration "9223372036854775808ns"'],
    ['3000000h', 'time: invalid duration "3000000h"'],
    ['1e9s', 'time: unknown unit "e" in duration "1e9s"'],
  ];
  for (const [text, error] of cases) {
    assert.deepEqual(parseGoDuration(text), { ok: false, error }, text);
  }
});

test('a very long text is refused at once and not repeated whole', () => {
  const parsed = parseGoDuration('9'.repeat(1_000_000));
  assert.equal(parsed.ok, false);
  assert.ok(!parsed.ok && parsed.error.length < 200);
});

test('quotes hide control characters, so that an error stays one line', () => {
  assert.equal(quote('a\r\nb\0‮'), '"a\\r\\nb\\u0000\\u202e"');
});

test('durations are written as Go writes them', () => {
  const cases: readonly [bigint, string][] = [
    [0n, '0s'],
    [1n, '1ns'],
    [1_100n, '1.1µs'],
    [2_200_000n, '2.2ms'],
    [999_999_999n, '999.999999ms'],
    [1_000_000_000n, '1s'],
    [3_300_000_000n, '3.3s'],
    [245_000_000_000n, '4m5s'],
    [245_001_000_000n, '4m5.001s'],
    [18_367_001_000_000n, '5h6m7.001s'],
    [3_600_000_000_000n, '1h0m0s'],
    [480_000_000_001n, '8m0.000000001s'],
    [-1_500_000n, '-1.5ms'],
    [2n ** 63n - 1n, '2562047h47m16.854775807s'],
  ];
  for (const [nanos, text] of cases) assert.equal(formatGoDuration(nanos), text);
});
