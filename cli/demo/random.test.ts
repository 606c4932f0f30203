import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from './random.ts';

test('the same seed gives the same numbers, another seed others', () => {
  const numbers = (seed: number): number[] => {
    const random = new Random(seed);
    return Array.from({ length: 50 }, () => random.uint32());
  };
  assert.deepEqual(numbers(1), numbers(1));
  assert.notDeepEqual(numbers(1), numbers(2));
});

test('fractions spread evenly from 0 to below 1', () => {
  const random = new Random(1);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) counts[random.below(10)]! += 1;
  for (const count of counts) assert.ok(count > 850 && count < 1150, `${counts}`);
});

test('half of the log-normal latencies lie below the median, and a few far above', () => {
  const random = new Random(2);
  const values = Array.from({ length: 10_000 }, () => random.logNormal(20, 0.5));
  const below = values.filter((value) => value < 20).length;
  assert.ok(below > 4800 && below < 5200, `${below}`);
  const far = values.filter((value) => value > 40).length;
  assert.ok(far > 500 && far < 1200, `${far}`);
  assert.ok(values.every((value) => value > 0));
});

test('ids have the length that was asked for, and do not repeat', () => {
  const random = new Random(3);
  const ids = Array.from({ length: 10_000 }, () => random.hex(8));
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.every((id) => /^[0-9a-f]{16}$/.test(id)));
  assert.equal(random.hex(3).length, 6);
  assert.equal(random.hex(16).length, 32);
});
