// A million mutated batches for each decoder, a new seed each time (testing/fuzz.ts).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from './testing/fuzz.ts';

const DECODES = 1_000_000;

/** A single decode of some kilobytes; the bound of P8 for any slice of work. */
const STALL_MS_MAX = 250;

test('a million broken batches do no harm to any decoder', (context) => {
  const seed = Date.now() % 2 ** 31;
  context.diagnostic(`seed ${seed}`);
  for (const [name, report] of Object.entries(fuzz(seed, DECODES))) {
    const { decodes, taken, slowestMs, faults } = report;
    context.diagnostic(`${name}: ${decodes} decodes, ${taken} taken, slowest ${slowestMs} ms`);
    assert.deepEqual(faults, [], `${name}, seed ${seed}`);
    assert.ok(slowestMs < STALL_MS_MAX, `${name} took ${slowestMs} ms, seed ${seed}`);
  }
});
