import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Block, StoreError } from '../../storage/span_store.ts';
import { HeldBytes } from './held_bytes.ts';
import type { PartitionDeps } from './partition_consumer.ts';
import { PartitionRig } from './testing/partition_rig.ts';

/** Longer than a range stays open. */
const RANGE_MS = 2_000;
/** Longer than an operator's error is waited out. */
const HELD_MS = 32_000;

describe('a partition that cannot go on', () => {
  it('is held, the same block under the same token, while the store refuses it for good', async () => {
    const rig = new PartitionRig();
    rig.append('1');
    const tokens: string[] = [];
    let open = false;
    const change = (deps: PartitionDeps): PartitionDeps => ({
      ...deps,
      store: {
        insert: (block: Block) => {
          tokens.push(block.token);
          return open
            ? deps.store.insert(block)
            : Promise.reject(new StoreError('no column', false));
        },
      },
    });
    const { consumer } = rig.start({ change });
    await rig.pass(RANGE_MS);
    rig.append('2');
    await rig.pass(HELD_MS);
    assert.equal(consumer.held, 'store_refused');
    assert.deepEqual(rig.held, ['store_refused'], 'told once');
    assert.equal(rig.partition.committed.offset, 0);
    open = true;
    await rig.pass(HELD_MS);
    assert.equal(new Set(tokens).size, 2);
    assert.equal(rig.partition.committed.offset, 2);
  });

  it('shows how far the log has grown while the store is away', async () => {
    const rig = new PartitionRig();
    rig.append('1');
    const insert = () => Promise.reject(new StoreError('away', true));
    const { consumer } = rig.start({ change: (deps) => ({ ...deps, store: { insert } }) });
    await rig.pass(2 * RANGE_MS);
    for (let i = 0; i < 100; i++) rig.append(String(i));
    await rig.pass(HELD_MS);
    assert.equal(consumer.lagRecords, 101);
    // '1' and '0' … '99' are 191 bytes; what a record costs besides is counted as 64.
    const bytes = 101 * 64 + 191;
    assert.ok(Math.abs(consumer.lagBytes - bytes) < bytes / 10, `${consumer.lagBytes} bytes`);
    assert.equal(consumer.held, undefined);
  });

  it('is held at a record of a newer version, after what came before it is stored', async () => {
    const rig = new PartitionRig();
    rig.append('1');
    rig.append('2', [{ key: 'spanhouse.version', value: Buffer.from('2') }]);
    rig.append('3');
    const { consumer } = rig.start();
    await rig.pass(2 * RANGE_MS);
    assert.equal(consumer.held, 'newer_version');
    assert.deepEqual([...rig.store.stored.keys()], [1]);
    assert.equal(rig.partition.committed.offset, 1);
    assert.equal(rig.store.letters.size, 0);
  });

  it('is held at an intent that it cannot read, or that a newer version made', async () => {
    for (const [metadata, reason] of [
      ['not ours', 'unreadable_intent'],
      ['{"v":1,"id":"id","a":5,"b":4,"age":1}', 'unreadable_intent'],
      ['{"v":1,"id":"id","a":1,"b":4,"age":1}', 'unreadable_intent'],
      ['{"v":2,"whatever":true}', 'newer_version'],
    ] as const) {
      const rig = new PartitionRig();
      rig.append('1');
      rig.partition.committed = { offset: 0, metadata };
      rig.start();
      await rig.pass(RANGE_MS);
      assert.deepEqual(rig.held, [reason], metadata);
      assert.equal(rig.store.rows, 0);
    }
  });

  it('begins at the start of a topic that was created anew', async () => {
    const rig = new PartitionRig();
    rig.append('1');
    rig.partition.committed = { offset: 900, metadata: '{"v":1,"id":"older"}' };
    rig.start();
    await rig.pass(RANGE_MS);
    assert.deepEqual([...rig.store.stored.keys()], [1]);
  });

  it('is held where the log ends before what was committed', async () => {
    const rig = new PartitionRig();
    rig.append('1');
    rig.partition.committed = { offset: 9, metadata: '{"v":1,"id":"id"}' };
    rig.start();
    await rig.pass(RANGE_MS);
    assert.deepEqual(rig.held, ['log_truncated']);
  });

  it('is not fetched while others hold the memory', async () => {
    const rig = new PartitionRig();
    rig.append('1');
    const full = new HeldBytes(10);
    full.add(10);
    rig.start({ change: (deps) => ({ ...deps, held: full }) });
    await rig.pass(5 * RANGE_MS);
    assert.equal(rig.store.rows, 0);
    full.release(10);
    await rig.pass(RANGE_MS);
    assert.equal(rig.store.rows, 1);
    assert.equal(full.bytes, 0, 'what was held is given back');
  });

  it('is held when no worker survives its records', async () => {
    const rig = new PartitionRig();
    rig.append('1');
    const build = () => Promise.reject(new Error('the block builder stopped'));
    rig.start({ change: (deps) => ({ ...deps, build }) });
    await rig.pass(2 * RANGE_MS);
    assert.deepEqual(rig.held, ['unbuildable']);
    assert.equal(rig.partition.committed.offset, undefined);
  });
});
