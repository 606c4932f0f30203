// The tests that every decoder passes: some seconds of the same bytes on each run, and a million new
// ones where there is time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FuzzTarget, fuzzDecoder, STALL_MS_MAX } from './fuzz_decoder.ts';

/** Of the runs that are always the same. */
const SEED = 20_261_123;

type Targets = Readonly<Record<string, FuzzTarget>>;

/** One test a target, `executions` each; of those together that take longer, choose fewer. */
export function testMutations(targets: Targets, executions: number): void {
  for (const [name, target] of Object.entries(targets)) {
    test(`${name}: mutated bytes are taken or refused, and do no harm`, () => {
      judge(target, SEED, executions);
    });
  }
}

const MILLION = 1_000_000;

/** A million each, a new seed each time, which is told. */
export function testMillions(targets: Targets): void {
  for (const [name, target] of Object.entries(targets)) {
    test(`${name}: a million mutated inputs do no harm`, (context) => {
      const seed = Date.now() % 2 ** 31;
      context.diagnostic(`${name}, seed ${seed}: ${judge(target, seed, MILLION)}`);
    });
  }
}

function judge(target: FuzzTarget, seed: number, wanted: number): string {
  const { executions, taken, slowestMs, faults } = fuzzDecoder(target, seed, wanted);
  assert.deepEqual(faults, [], `seed ${seed}`);
  assert.equal(executions, wanted);
  assert.ok(slowestMs < STALL_MS_MAX, `${slowestMs} ms, seed ${seed}`);
  assert.ok(taken > 0 && taken < executions, `${taken} of ${executions} taken, seed ${seed}`);
  return `${executions} inputs, ${taken} taken, slowest ${slowestMs.toFixed(1)} ms`;
}
