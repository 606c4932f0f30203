import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Block, StoreError } from '../../storage/span_store.ts';
import type { PartitionDeps } from './partition_consumer.ts';
import type { Canary } from './testing/canary.ts';
import { PartitionRig } from './testing/partition_rig.ts';

/** Longer than a range stays open. */
const RANGE_MS = 2_000;

/** The rule holds; and the check notices when its guard is taken out. */
function rule(name: string, canary: Canary, check: (canary?: Canary) => Promise<void>): void {
  it(name, () => check());
  it(`${name}: noticed without its guard (${canary})`, async () => {
    await assert.rejects(check(canary), assert.AssertionError);
  });
}

function kinds(rig: PartitionRig): string[] {
  return rig.calls.map((call) => call.split(' ')[0] as string);
}

/** Kills the owner as soon as its insert has happened, before it hears of that. */
async function killAfterInsert(rig: PartitionRig): Promise<void> {
  const before = rig.store.rows;
  while (rig.store.rows === before) await rig.pass(1);
  rig.process.kill();
}

describe('a partition consumed', () => {
  rule(
    'commits its intent, inserts, notes the ledger, commits behind',
    'commit_first',
    async (canary) => {
      const rig = new PartitionRig();
      rig.append('1,2');
      rig.append('3');
      rig.start({ canary });
      await rig.pass(RANGE_MS);
      assert.deepEqual(kinds(rig), ['commit', 'insert', 'ledger', 'commit']);
      assert.match(rig.calls[0] ?? '', /^commit 0 \{"v":1,"id":"id","a":0,"b":1,"age":1\}$/);
      assert.equal(rig.partition.committed.metadata, '{"v":1,"id":"id"}');
      assert.equal(rig.partition.committed.offset, 2);
      // What the log holds while an insert runs is the intent, at the first offset of its range.
      rig.append('4');
      await killAfterInsert(rig);
      assert.equal(rig.partition.committed.offset, 2);
      assert.match(rig.partition.committed.metadata, /"a":2,"b":2/);
    },
  );

  for (const canary of ['no_token', 'no_intent', 'regrown'] as const) {
    rule(`is stored once when its owner dies between insert and commit`, canary, async (guard) => {
      const rig = new PartitionRig();
      rig.append('1,2');
      rig.start({ canary: guard });
      await killAfterInsert(rig);
      rig.append('3');
      rig.append('4');
      rig.start({ canary: guard });
      await rig.pass(2 * RANGE_MS);
      assert.deepEqual(
        [...rig.store.stored],
        [
          [1, 1],
          [2, 1],
          [3, 1],
          [4, 1],
        ],
      );
      assert.deepEqual([...rig.store.ranges.keys()], ['0:0-0', '0:1-2']);
    });
  }

  rule(
    'of a topic that was made anew is stored, at the same offsets',
    'token_of_offsets',
    async (canary) => {
      const rig = new PartitionRig();
      rig.append('1');
      const { stop } = rig.start({ canary });
      await rig.pass(RANGE_MS);
      stop.abort();
      const source = { ...rig.partition.source, topicId: 'another' };
      Object.assign(rig.partition, { source, records: [] });
      rig.append('2');
      rig.start({ canary });
      await rig.pass(2 * RANGE_MS);
      assert.deepEqual([...rig.store.stored.keys()], [1, 2]);
    },
  );

  rule('replays with the settings of the intent', 'no_intent', async (canary) => {
    const rig = new PartitionRig();
    const seen: number[] = [];
    const change = (deps: PartitionDeps): PartitionDeps => ({
      ...deps,
      build: (records, settings) => {
        seen.push(settings.maxAgeSeconds);
        return deps.build(records, settings);
      },
    });
    rig.append('1');
    rig.start({ canary, settings: { maxAgeSeconds: 100, tenant: undefined }, change });
    await killAfterInsert(rig);
    rig.start({ canary, settings: { maxAgeSeconds: 7, tenant: undefined }, change });
    await rig.pass(RANGE_MS);
    rig.append('2');
    await rig.pass(5 * RANGE_MS);
    assert.deepEqual(seen, [100, 100, 7]);
    assert.equal(rig.counts.replayed, 1);
  });

  rule(
    'has its dead letters acknowledged before the commit behind',
    'letters_unacknowledged',
    async (canary) => {
      const rig = new PartitionRig();
      rig.append('1');
      rig.append('poison');
      rig.append('');
      rig.append('2');
      let open = false;
      const change = (deps: PartitionDeps): PartitionDeps => ({
        ...deps,
        deadLetters: {
          publish: (letters) =>
            open ? deps.deadLetters.publish(letters) : Promise.reject(new Error('down')),
        },
      });
      const { consumer } = rig.start({ canary, change });
      await rig.pass(20_000);
      assert.equal(rig.partition.committed.offset, 0);
      assert.deepEqual(rig.held, ['dead_letters_refused']);
      assert.equal(consumer.held, 'dead_letters_refused');
      open = true;
      await rig.pass(RANGE_MS);
      assert.deepEqual([...rig.store.letters.keys()], ['t:0:1', 't:0:2']);
      assert.deepEqual([...rig.store.stored.keys()], [1, 2], 'neighbours go on');
      assert.equal(rig.partition.committed.offset, 4);
      assert.equal(consumer.held, undefined);
      const row = rig.store.ranges.get('0:0-3');
      assert.deepEqual(row?.deadLettered, { malformed: 1, empty: 1 });
      assert.equal(row.spans, 2);
    },
  );

  rule('has its ledger row before the commit behind', 'ledger_unacknowledged', async (canary) => {
    const rig = new PartitionRig();
    rig.append('1');
    const down = (): Promise<void> => Promise.reject(new StoreError('down', true));
    rig.start({ canary, change: (deps) => ({ ...deps, ranges: { insert: down } }) });
    await rig.pass(20_000);
    assert.equal(rig.partition.committed.offset, 0);
  });

  rule('is left alone by who no longer owns it', 'unfenced', async (canary) => {
    const rig = new PartitionRig();
    rig.append('1');
    const { how } = rig.start({ canary });
    const zombie = rig.process;
    await rig.pass(RANGE_MS);
    zombie.pause();
    rig.append('2');
    rig.start();
    await rig.pass(RANGE_MS);
    rig.append('3');
    const { committed } = rig.partition;
    rig.process.pause();
    zombie.resume();
    await rig.pass(3 * RANGE_MS);
    assert.deepEqual(rig.partition.committed, committed);
    assert.equal(await how, 'fenced');
    assert.equal(rig.counts.fenced, 1);
  });

  it('commits the next intent together with the offset behind, when it is ready', async () => {
    const rig = new PartitionRig();
    rig.append('1');
    let open = false;
    const change = (deps: PartitionDeps): PartitionDeps => ({
      ...deps,
      store: {
        insert: (block: Block) =>
          open ? deps.store.insert(block) : Promise.reject(new StoreError('down', true)),
      },
    });
    rig.start({ change });
    await rig.pass(RANGE_MS);
    rig.append('2');
    await rig.pass(2 * RANGE_MS);
    assert.equal(kinds(rig).length, 1, 'the second range waits for the first');
    open = true;
    await rig.pass(RANGE_MS);
    const commits = rig.calls.filter((call) => call.startsWith('commit'));
    assert.match(commits[1] ?? '', /^commit 1 .*"a":1,"b":1/);
  });

  it('counts what retention took, and inserts the rest of an intent under its own token', async () => {
    const rig = new PartitionRig();
    for (let i = 0; i < 5; i++) rig.append(String(i));
    rig.partition.committed = { offset: 1, metadata: '{"v":1,"id":"id","a":1,"b":3,"age":1}' };
    rig.partition.startOffset = 3;
    rig.start();
    await rig.pass(3 * RANGE_MS);
    assert.equal(rig.counts.lost, 2);
    assert.deepEqual([...rig.store.stored.keys()], [3, 4]);
    assert.equal(rig.store.ranges.get('0:1-2')?.lost, 2);
    assert.match(rig.calls.find((call) => call.startsWith('insert')) ?? '', /:3-3:/);
    assert.equal(rig.partition.committed.offset, 5);
  });

  it('goes on behind a hole that retention made while it was away', async () => {
    const rig = new PartitionRig();
    for (let i = 0; i < 5; i++) rig.append(String(i));
    rig.partition.committed = { offset: 1, metadata: '' };
    rig.partition.startOffset = 4;
    rig.start();
    await rig.pass(3 * RANGE_MS);
    assert.equal(rig.counts.lost, 3);
    assert.deepEqual([...rig.store.ranges.keys()], ['0:1-3', '0:4-4']);
  });

  it('commits the range that is being inserted before it ends', async () => {
    const rig = new PartitionRig();
    rig.append('1');
    const { consumer, how } = rig.start();
    while (!rig.calls.some((call) => call.startsWith('insert'))) await rig.pass(1);
    consumer.finish();
    await rig.pass(RANGE_MS);
    assert.equal(await how, 'stopped');
    assert.deepEqual(rig.partition.committed, { offset: 1, metadata: '{"v":1,"id":"id"}' });
    assert.equal(rig.heldBytes.bytes, 0);
  });
});
