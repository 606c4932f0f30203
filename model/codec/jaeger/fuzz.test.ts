// Some seconds of broken batches, always the same; fuzz.slow.test.ts has a million new ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from './testing/fuzz.ts';

test('no bytes make a decoder throw, stall, or make OTLP that is none', () => {
  for (const [name, { faults, taken, decodes }] of Object.entries(fuzz(20_261_123, 10_000))) {
    assert.deepEqual(faults, [], name);
    assert.ok(name === 'zipkin' || taken > decodes / 100, `${name} took ${taken}`);
    assert.ok(taken < decodes, `${name} refused nothing`);
  }
});
