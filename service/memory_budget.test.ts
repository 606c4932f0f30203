import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryBudget } from './memory_budget.ts';

test('a budget grants up to its limit and not one byte more', () => {
  const budget = new MemoryBudget(100);
  assert.equal(budget.tryReserve(60), true);
  assert.equal(budget.tryReserve(41), false);
  assert.equal(budget.tryReserve(40), true);
  assert.equal(budget.usedBytes, 100);
  assert.equal(budget.tryReserve(1), false);
  assert.equal(budget.refusals, 2);
});

test('a refused reservation takes nothing', () => {
  const budget = new MemoryBudget(10);
  assert.equal(budget.tryReserve(11), false);
  assert.equal(budget.usedBytes, 0);
});

test('released bytes can be reserved again', () => {
  const budget = new MemoryBudget(10);
  assert.equal(budget.tryReserve(10), true);
  budget.release(4);
  assert.equal(budget.tryReserve(4), true);
  assert.equal(budget.usedBytes, 10);
});

test('releasing more than is in use throws, so that a double release is found', () => {
  const budget = new MemoryBudget(10);
  assert.equal(budget.tryReserve(5), true);
  budget.release(5);
  assert.throws(() => budget.release(1), RangeError);
});

test('amounts that are no whole number of bytes throw', () => {
  const budget = new MemoryBudget(10);
  for (const bytes of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => budget.tryReserve(bytes), RangeError);
    assert.throws(() => budget.release(bytes), RangeError);
  }
  assert.throws(() => new MemoryBudget(0), RangeError);
});
