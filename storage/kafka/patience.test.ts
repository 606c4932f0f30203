import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Patience } from './patience.ts';

test('without bad news a sender waits a second', () => {
  const patience = new Patience();
  assert.equal(patience.ms, 1000);
  for (let i = 0; i < 10; i++) patience.acknowledged(5);
  assert.equal(patience.ms, 1000);
});

test('a broker that is slow but answers is waited for, below the ten seconds of exporters', () => {
  const patience = new Patience();
  patience.acknowledged(3000);
  assert.equal(patience.ms, 6000);
  patience.acknowledged(11_000);
  assert.equal(patience.ms, 8000);
});

test('it goes back little by little when answers are quick again, and at once after a loss', () => {
  const patience = new Patience();
  patience.acknowledged(3000);
  patience.acknowledged(10);
  assert.ok(patience.ms > 4000 && patience.ms < 6000);
  for (let i = 0; i < 20; i++) patience.acknowledged(10);
  assert.equal(patience.ms, 1000);
  patience.acknowledged(3000);
  patience.lost();
  assert.equal(patience.ms, 1000);
});
