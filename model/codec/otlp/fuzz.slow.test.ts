// A million mutated requests, a new seed each time; testing/fuzz.ts runs as many as one likes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from './testing/fuzz.ts';
import { loadTranscoder } from './transcoder.ts';

const REQUESTS = 1_000_000;

test('transcoder and twin agree on a million mutated requests', async (context) => {
  const seed = Date.now() % 2 ** 31;
  const report = fuzz(await loadTranscoder(), {
    seed,
    iterations: REQUESTS,
    secondsMax: Number.POSITIVE_INFINITY,
    disagreementsMax: 3,
  });
  const rate = Math.round(report.requests / report.seconds);
  context.diagnostic(`seed ${seed}: ${report.requests} requests, ${rate} a second`);
  assert.deepEqual(report.disagreements, [], `seed ${seed}`);
  assert.ok(report.malformed > 0 && report.spans > 0);
});
