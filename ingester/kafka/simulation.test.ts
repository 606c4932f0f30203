import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CANARIES } from './testing/canary.ts';
import { simulate } from './testing/simulate.ts';

/** In four tests, so that each stays well within the time that a test may take. */
const PARTS = 4;
const SEEDS = 10_000;
const CANARY_SEEDS_MAX = 1_000;

/** Prints what a person needs to play a run again: `simulate(seed)`. */
async function assertKept(seed: number): Promise<number> {
  const { broken, crashes } = await simulate(seed);
  assert.deepEqual(broken, [], `seed ${seed}`);
  return crashes;
}

describe('simulation of the log, its ingesters and the store', () => {
  for (let part = 0; part < PARTS; part++) {
    it(`keeps every span once, seeds from ${(part * SEEDS) / PARTS}`, async () => {
      let crashes = 0;
      const first = (part * SEEDS) / PARTS;
      for (let i = 0; i < SEEDS / PARTS; i++) crashes += await assertKept(first + i);
      assert.ok(crashes > SEEDS / PARTS, 'the faults did not happen');
    });
  }

  it('plays the same run for the same seed', async () => {
    for (const seed of [7, 8, 9]) {
      assert.deepEqual(await simulate(seed), await simulate(seed), `seed ${seed}`);
    }
  });

  for (const canary of CANARIES) {
    it(`finds the fault ${canary}`, async () => {
      for (let seed = 0; seed < CANARY_SEEDS_MAX; seed++) {
        const { broken } = await simulate(seed, canary);
        if (broken.length > 0) return;
      }
      assert.fail(`${CANARY_SEEDS_MAX} seeds did not find ${canary}`);
    });
  }
});
