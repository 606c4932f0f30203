import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FencedError, type PartitionLog } from '../partition_log.ts';
import type { KafkaConnection } from './connection.ts';
import { LogGroup } from './log_group.ts';
import { startTestBroker, type TestBroker } from './testing/broker.ts';
import { ensureTopic } from './topics.ts';

const PARTITIONS = 2;
const SESSION_MS = 3_000;
const PATIENCE_MS = 30_000;

interface Member {
  readonly group: LogGroup;
  /** Of the last assignment. */
  logs: readonly PartitionLog[];
}

/** Without the generation of the assignment in each commit, as a client's own commit, all go through. */
describe('membership on a real broker', () => {
  let broker: TestBroker;
  let connection: KafkaConnection;
  const members: Member[] = [];
  before(async () => {
    broker = await startTestBroker();
    connection = { brokers: [broker.direct], clientId: 'test' };
    const sizes = { partitions: PARTITIONS, replication: 1, batchBytesMax: 900_000 };
    await ensureTopic(connection, { topic: 'fenced', create: true, ...sizes });
  });
  after(async () => {
    await Promise.all(members.map(({ group }) => group.stop()));
    await broker?.stop();
  });

  function join(): Member {
    const member: { group?: LogGroup; logs: readonly PartitionLog[] } = { logs: [] };
    const group = new LogGroup({
      connection,
      topic: 'fenced',
      group: 'fenced',
      sessionMs: SESSION_MS,
      instance: '',
      assigned: (logs) => {
        member.logs = logs;
      },
      prepare: async () => undefined,
      trouble: () => undefined,
    });
    group.start();
    const joined = Object.assign(member, { group });
    members.push(joined);
    return joined;
  }

  async function owns(member: Member, partitions: number): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS;
    while (member.logs.length !== partitions) {
      assert.ok(performance.now() < endMs, `${member.logs.length} partitions`);
      await sleep(20);
    }
  }

  it('refuses a commit of an assignment that is over, at once and for ever', async () => {
    const first = join();
    await owns(first, PARTITIONS);
    const before = first.logs;
    for (const log of before) await log.commit(0, `by the first, ${log.source.partition}`);
    const second = join();
    await owns(second, PARTITIONS / 2);
    await owns(first, PARTITIONS / 2);
    for (const wait of [0, SESSION_MS]) {
      await sleep(wait);
      for (const log of before) await assert.rejects(log.commit(9, 'late'), FencedError);
    }
    for (const log of [...first.logs, ...second.logs]) {
      const expected = { offset: 0, metadata: `by the first, ${log.source.partition}` };
      assert.deepEqual(await log.committed(), expected);
      await log.commit(1, 'by the owner');
    }
  });
});
