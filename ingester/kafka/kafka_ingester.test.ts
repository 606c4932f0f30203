import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../service/clock.ts';
import { silentLog } from '../../service/log.ts';
import type { PartitionLog } from '../../storage/partition_log.ts';
import { HeldBytes } from './held_bytes.ts';
import { KafkaIngester } from './kafka_ingester.ts';
import { silentConsume, silentInserts } from './testing/silent_ledgers.ts';
import { buildBlocks } from './testing/sim_store.ts';

/** A partition with one record; `commits` tells what happened to it. */
function partition(number: number, commits: string[] = []): PartitionLog {
  const source = { clusterId: 'c', topic: 't', topicId: 'id', partition: number };
  const record = {
    offset: 0,
    timestampMs: 0,
    key: undefined,
    value: new Uint8Array(Buffer.from('1')),
    headers: [],
  };
  let offset: number | undefined;
  return {
    source,
    committed: async () => ({ offset, metadata: '' }),
    bounds: async () => ({ startOffset: 0, endOffset: 1 }),
    fetch: async (at) => {
      await systemClock.sleep(5);
      return { records: at === 0 ? [record] : [], nextOffset: 1, endOffset: 1 };
    },
    commit: async (next, metadata) => {
      offset = next;
      commits.push(metadata.includes('"a"') ? `intent ${next}` : `behind ${next}`);
    },
  };
}

function setUp(insert: () => Promise<void>): KafkaIngester {
  return new KafkaIngester({
    store: { insert },
    ranges: { insert: async () => {} },
    deadLetters: { publish: async () => {} },
    build: async (records) => buildBlocks(records),
    buckets: () => {},
    clock: systemClock,
    random: Math.random,
    held: new HeldBytes(1_000_000),
    settings: { maxAgeSeconds: 1, tenant: undefined },
    ledger: silentConsume,
    inserts: silentInserts,
    log: silentLog,
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await systemClock.sleep(5);
}

describe('the partitions of a process', () => {
  it('are those of the last assignment, however quickly they follow each other', async () => {
    const ingester = setUp(async () => {});
    ingester.assigned([partition(0), partition(1)]);
    ingester.assigned([]);
    ingester.assigned([partition(2)]);
    await until(() => ingester.partitions.length > 0);
    assert.deepEqual(
      ingester.partitions.map((one) => one.source.partition),
      [2],
    );
    await ingester.stop(1_000);
    assert.deepEqual(ingester.partitions, []);
  });

  it('finish the range that is being inserted when the process stops', async () => {
    const inserting = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const ingester = setUp(() => {
      begun.resolve();
      return inserting.promise;
    });
    const commits: string[] = [];
    ingester.assigned([partition(0, commits)]);
    await begun.promise;
    const stopped = ingester.stop(5_000);
    inserting.resolve();
    await stopped;
    assert.deepEqual(commits, ['intent 0', 'behind 1']);
  });

  it('begin no more once the process stops, and finish what is being inserted all the same', async () => {
    const inserting = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const ingester = setUp(() => {
      begun.resolve();
      return inserting.promise;
    });
    const commits: string[] = [];
    const later: string[] = [];
    ingester.assigned([partition(0, commits)]);
    await begun.promise;
    const stopped = ingester.stop(5_000);
    ingester.assigned([partition(1, later)]);
    inserting.resolve();
    await stopped;
    ingester.assigned([partition(1, later)]);
    await systemClock.sleep(50);
    assert.deepEqual(ingester.partitions, []);
    assert.deepEqual([commits, later], [['intent 0', 'behind 1'], []]);
  });

  it('leave what does not finish within the grace to who replays it', async () => {
    const begun = Promise.withResolvers<void>();
    const ingester = setUp(() => {
      begun.resolve();
      return new Promise<void>(() => {});
    });
    const commits: string[] = [];
    ingester.assigned([partition(0, commits)]);
    await begun.promise;
    await ingester.stop(20);
    assert.deepEqual(commits, ['intent 0']);
  });
});
