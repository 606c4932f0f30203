import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryBudget } from '../../../service/memory_budget.ts';
import { RefusalError } from '../../../service/refusal.ts';
import type { Accept } from '../../batch.ts';
import type { DatagramOutcome } from './messages.ts';
import { WaitingRequests } from './waiting.ts';

const UNAVAILABLE = { code: 'unavailable', message: 'no store', retryAfterMs: 60_000 } as const;
const ACCEPTED = { spans: 1, rejected: 0, message: '' };

function rig(accept: Accept, memoryBytes: number) {
  const bugs: unknown[] = [];
  const budget = new MemoryBudget(memoryBytes);
  const waiting = new WaitingRequests({ accept, budget, onBug: (error) => void bugs.push(error) });
  const outcomes: [name: string, outcome: DatagramOutcome, datagrams: number][] = [];
  const add = (name: string, bytes: number, datagrams = 1): void =>
    void waiting.add(new Uint8Array(bytes), datagrams, (outcome, count) =>
      outcomes.push([name, outcome, count]),
    );
  return { waiting, budget, bugs, outcomes, add };
}

/** Long enough for promises, short against any delay here. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('what is stored is counted, and its memory is given back', async () => {
  const { add, budget, outcomes, waiting } = rig(() => Promise.resolve(ACCEPTED), 100);
  add('a', 60, 7);
  await waiting.stop(1000);
  assert.deepEqual(outcomes, [['a', 'ok', 7]]);
  assert.equal(budget.usedBytes, 0);
});

test('without room, the oldest of those that wait for a store that is away goes', async () => {
  const { add, budget, outcomes, waiting } = rig(
    () => Promise.reject(new RefusalError(UNAVAILABLE)),
    100,
  );
  add('a', 40, 3);
  add('b', 40);
  await settled();
  add('c', 40);
  await settled();
  assert.deepEqual(outcomes, [['a', 'full', 3]]);
  assert.equal(budget.usedBytes, 80);
  await waiting.stop(0);
  assert.deepEqual(outcomes.slice(1), [
    ['b', 'lost', 1],
    ['c', 'lost', 1],
  ]);
  assert.equal(budget.usedBytes, 0);
});

test('what the store may be taking is not dropped for what comes later', async () => {
  const taken = Promise.withResolvers<typeof ACCEPTED>();
  const { add, outcomes, waiting } = rig(() => taken.promise, 100);
  add('a', 80);
  await settled();
  add('b', 40, 2);
  assert.deepEqual(outcomes, [['b', 'full', 2]]);
  taken.resolve(ACCEPTED);
  await waiting.stop(1000);
  assert.deepEqual(outcomes[1], ['a', 'ok', 1]);
});

test('a request that is larger than all the room there is drops the others and itself', async () => {
  const { add, budget, outcomes, waiting } = rig(
    () => Promise.reject(new RefusalError(UNAVAILABLE)),
    100,
  );
  add('a', 40);
  await settled();
  add('b', 200);
  await waiting.stop(0);
  assert.deepEqual(outcomes.map(([name, outcome]) => `${name} ${outcome}`).sort(), [
    'a full',
    'b full',
  ]);
  assert.equal(budget.usedBytes, 0);
});

test('a bug in accepting loses its datagrams, is told, and holds nothing', async () => {
  const { add, budget, bugs, outcomes, waiting } = rig(() => Promise.reject(new Error('x')), 100);
  add('a', 40);
  await waiting.stop(1000);
  assert.deepEqual(outcomes, [['a', 'lost', 1]]);
  assert.equal(bugs.length, 1);
  assert.equal(budget.usedBytes, 0);
});
