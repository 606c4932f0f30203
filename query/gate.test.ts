import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusalError } from '../service/refusal.ts';
import { Gate } from './gate.ts';

const never = new AbortController().signal;

/** Goes in until somebody has to wait, and returns the ways out. */
async function fill(gate: Gate): Promise<(() => void)[]> {
  return await Promise.all(Array.from({ length: 8 }, () => gate.enter(never)));
}

test('those who wait go in one by one, in their order', async () => {
  const gate = new Gate();
  const leave = await fill(gate);
  const order: number[] = [];
  const waiting = [1, 2].map((n) => gate.enter(never).then(() => order.push(n)));
  await Promise.resolve();
  assert.deepEqual(order, []);
  leave[0]!();
  leave[0]!(); // leaving twice makes no second place
  await waiting[0];
  assert.deepEqual(order, [1]);
  leave[1]!();
  await waiting[1];
  assert.deepEqual(order, [1, 2]);
});

test('who gives up while waiting takes no place', async () => {
  const gate = new Gate();
  const leave = await fill(gate);
  const controller = new AbortController();
  const impatient = gate.enter(controller.signal);
  const patient = gate.enter(never);
  controller.abort();
  await assert.rejects(impatient);
  leave[0]!();
  await patient;
});

test('when too many wait, the next one is told to come back', async () => {
  const gate = new Gate();
  await fill(gate);
  const controller = new AbortController();
  const waiting = Array.from({ length: 64 }, () => gate.enter(controller.signal));
  await assert.rejects(
    gate.enter(never),
    (error: unknown) => error instanceof RefusalError && error.refusal.code === 'busy',
  );
  controller.abort();
  await Promise.allSettled(waiting);
});
