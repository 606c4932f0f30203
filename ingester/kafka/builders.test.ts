import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BlockBuilder } from '../block_builder.ts';
import { Builders } from './builders.ts';
import { buildBlocks } from './testing/sim_store.ts';

describe('builders', () => {
  it('are one for each setting that rows depend on, and at most two', async () => {
    const started: number[] = [];
    const stopped: number[] = [];
    const builders = new Builders(({ maxAgeSeconds }): BlockBuilder => {
      started.push(maxAgeSeconds);
      return {
        build: async (records) => buildBlocks(records),
        stop: async () => void stopped.push(maxAgeSeconds),
      };
    });
    for (const maxAgeSeconds of [100, 7, 100, 7, 3]) {
      await builders.build([], { maxAgeSeconds, tenant: undefined });
    }
    assert.deepEqual(started, [100, 7, 3]);
    assert.deepEqual(stopped, [100]);
    await builders.stop();
    assert.deepEqual(stopped, [100, 7, 3]);
  });
});
