import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LoggedRecord, LogSource } from '../../storage/partition_log.ts';
import { prepare } from './prepare.ts';
import { buildBlocks } from './testing/sim_store.ts';

const SOURCE: LogSource = { clusterId: 'c', topic: 't', topicId: 'id', partition: 3 };
const SETTINGS = { maxAgeSeconds: 1, tenant: undefined };

function record(offset: number, value: string, more: Partial<LoggedRecord> = {}): LoggedRecord {
  const bytes = new Uint8Array(Buffer.from(value));
  return { offset, timestampMs: 1000, key: undefined, value: bytes, headers: [], ...more };
}

function prepared(records: readonly LoggedRecord[], source = SOURCE, last = 9) {
  const intent = { first: 5, last, settings: SETTINGS };
  return prepare(
    source,
    { intent, records, lost: 0 },
    async (some) => buildBlocks(some),
    () => {},
  );
}

async function tokenOf(...given: Parameters<typeof prepared>): Promise<string> {
  return (await prepared(...given)).blocks[0]?.token ?? '';
}

describe('what is inserted for a range', () => {
  it('has a token that names cluster, topic, partition, offsets, bytes and block', async () => {
    const records = [record(5, '1,2,3,4,5,6')];
    const { blocks, row } = await prepared(records);
    assert.deepEqual(
      blocks.map(({ token }) => token),
      [`c:id:3:5-9:${row.hash}:0`, `c:id:3:5-9:${row.hash}:1`],
    );
    const token = await tokenOf(records);
    const header = { key: 'spanhouse.tenant', value: Buffer.from('a') };
    const others = [
      await tokenOf(records, { ...SOURCE, clusterId: 'd' }),
      await tokenOf(records, { ...SOURCE, topicId: 'je' }),
      await tokenOf(records, { ...SOURCE, partition: 4 }),
      await tokenOf(records, SOURCE, 8),
      await tokenOf([record(5, '1,2,3,4,5,7')]),
      await tokenOf([record(5, '1,2,3,4,5,6', { timestampMs: 1001 })]),
      await tokenOf([record(5, '1,2,3,4,5,6', { headers: [header] })]),
      await tokenOf([record(6, '1,2,3,4,5,6')]),
    ];
    assert.equal(new Set([token, ...others]).size, 9);
    assert.equal(await tokenOf(records), token, 'the same records have the same name');
  });

  it('does not confuse where one record ends and the next begins', async () => {
    const joined = await prepared([record(5, '1'), record(6, '23')]);
    const other = await prepared([record(5, '12'), record(6, '3')]);
    assert.notEqual(joined.row.hash, other.row.hash);
  });

  it('has dead letters in the order of their offsets, with their bytes', async () => {
    const records = [record(5, 'poison'), record(6, '1'), record(7, ''), record(8, 'poison too')];
    const { deadLetters, row } = await prepared(records);
    assert.deepEqual(
      deadLetters.map((letter) => [letter.record.offset, letter.reason]),
      [
        [5, 'malformed'],
        [7, 'empty'],
        [8, 'malformed'],
      ],
    );
    assert.equal(Buffer.from(deadLetters[0]?.record.value ?? []).toString(), 'poison');
    assert.deepEqual(row.deadLettered, { malformed: 2, empty: 1 });
    assert.equal(row.spans, 1);
  });
});
