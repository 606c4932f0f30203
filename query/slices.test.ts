import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FindQuery } from './find.ts';
import { type Slice, Slices } from './slices.ts';

const MINUTE = 60_000_000_000n;

function queryOf(minutes: bigint, order: FindQuery['order'] = 'newest'): FindQuery {
  const window = { startUnixNanos: 0n, endUnixNanos: minutes * MINUTE };
  return { tenant: 'a', ...window, tags: [], order, limit: 20 };
}

/** All slices where each of them adds so many traces. */
function walk(query: FindQuery, added: number, missing = 20): Slice[] {
  const slices = new Slices(query, MINUTE);
  const walked: Slice[] = [];
  for (let slice = slices.next(); slice !== undefined; slice = slices.next()) {
    walked.push(slice);
    slices.grow(added, missing);
  }
  return walked;
}

for (const order of ['newest', 'oldest'] as const) {
  test(`slices of ${order} touch each nanosecond of the window once, from its ${order} end`, () => {
    for (const minutes of [0n, 1n, 7n, 100n, 5000n]) {
      for (const added of [0, 1, 19]) {
        const query = queryOf(minutes, order);
        const walked = walk(query, added);
        const inTime = order === 'newest' ? walked.toReversed() : walked;
        let next = query.startUnixNanos;
        for (const { fromUnixNanos, toUnixNanos } of inTime) {
          assert.equal(fromUnixNanos, next);
          assert.ok(toUnixNanos >= fromUnixNanos);
          next = toUnixNanos + 1n;
        }
        assert.equal(next, query.endUnixNanos + 1n);
      }
    }
  });
}

test('an empty day takes three statements', () => {
  assert.equal(walk(queryOf(1440n), 0).length, 3);
});

test('the next slice is as long as what is missing needs, within bounds', () => {
  const second = (added: number, missing: number): bigint => {
    const { fromUnixNanos, toUnixNanos } = walk(queryOf(100_000n), added, missing)[1]!;
    return (toUnixNanos - fromUnixNanos + 1n) / MINUTE;
  };
  assert.equal(second(19, 1), 2n);
  assert.equal(second(10, 10), 2n);
  assert.equal(second(5, 15), 6n);
  assert.equal(second(1, 19), 38n);
  assert.equal(second(1, 1499), 64n);
  assert.equal(second(0, 20), 64n);
});

test('the longest spans can be anywhere, so their window is one slice', () => {
  assert.equal(walk(queryOf(100_000n, 'slowest'), 0).length, 1);
});
