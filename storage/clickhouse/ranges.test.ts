import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestEngine, type TestEngine } from '../embedded/testing.ts';
import type { RangeRow } from '../range_store.ts';
import { ClickHouseRangeStore, readLedger } from './ranges.ts';

let engine: TestEngine;
let store: ClickHouseRangeStore;
before(async () => {
  engine = await startTestEngine();
  store = new ClickHouseRangeStore(engine.embedded.access);
});
after(() => engine[Symbol.asyncDispose]());

function row(partition: number, first: number, last: number, more: Partial<RangeRow> = {}) {
  return {
    source: { clusterId: 'c', topic: 't', topicId: 'id', partition },
    first,
    last,
    hash: 'ab',
    version: 1,
    records: last - first + 1,
    spans: 10,
    rejected: {},
    deadLettered: {},
    lost: 0,
    buckets: [1_795_410_000],
    ...more,
  } satisfies RangeRow;
}

async function ledgerOf(partition: number) {
  return (await readLedger(engine.embedded.access)).find((one) => one.partition === partition);
}

describe('ranges', () => {
  it('add up to received = stored + dead-lettered + rejected', async () => {
    await store.insert(row(0, 5, 9, { rejected: { too_old: 2, bad_span_id: 1 } }));
    await store.insert(row(0, 10, 10, { spans: 0, deadLettered: { malformed: 1 } }));
    await store.insert(row(0, 11, 14, { spans: 0, records: 0, lost: 4 }));
    assert.deepEqual(await ledgerOf(0), {
      topic: 't',
      topicId: 'id',
      partition: 0,
      offsets: 10,
      missing: 0,
      twice: 0,
      records: 6,
      spans: 10,
      rejected: 3,
      deadLettered: 1,
      lost: 4,
    });
  });

  it('are counted once however often they are written', async () => {
    for (let i = 0; i < 3; i++) await store.insert(row(1, 0, 4));
    assert.equal((await ledgerOf(1))?.spans, 10);
    // Also where the token is long forgotten.
    await store.insert(row(1, 0, 4, { hash: 'cd' }));
    assert.equal((await ledgerOf(1))?.spans, 10);
  });

  it('show a gap, and an overlap', async () => {
    await store.insert(row(2, 0, 4));
    await store.insert(row(2, 7, 9));
    await store.insert(row(2, 8, 12));
    const ledger = await ledgerOf(2);
    assert.equal(ledger?.missing, 2);
    assert.equal(ledger.twice, 2);
    assert.equal(ledger.offsets, 13);
  });
});
