import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numericFlags } from './flags.ts';

test('flags that are not given keep their defaults', () => {
  const flags = numericFlags(['--rounds', '7'], { rounds: 5, seconds: 1 });
  assert.deepEqual(flags, { rounds: 7, seconds: 1 });
});

test('what is no positive number is refused by the name of its flag', () => {
  for (const value of ['0', '-1', 'many', '']) {
    assert.throws(() => numericFlags([`--rounds=${value}`], { rounds: 5 }), /--rounds must be/);
  }
});

test('unknown flags are refused', () => {
  assert.throws(() => numericFlags(['--round', '7'], { rounds: 5 }), /--round/);
});
