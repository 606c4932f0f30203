import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Encoding } from '../../model/codec/encoding.ts';
import type { Fetched, LoggedRecord, PartitionLog } from '../../storage/partition_log.ts';
import { HeldBytes } from './held_bytes.ts';
import { RANGE_BYTES_MAX, RangeReader } from './range_reader.ts';

const SETTINGS = { maxAgeSeconds: 1, tenant: undefined };

/** A log whose fetches give these sizes of records, one fetch each, and then nothing. */
function setUp(fetches: readonly (readonly number[])[], encoding: Encoding = 'otlp_proto') {
  let nowMs = 0;
  let offset = 0;
  const all = fetches.map((sizes) => sizes.map((size) => record(offset++, size)));
  const fetch = async (from: number): Promise<Fetched> => {
    nowMs += 300;
    const records = all.find((some) => (some.at(-1)?.offset ?? -1) >= from) ?? [];
    const wanted = records.filter((one) => one.offset >= from);
    return {
      records: wanted,
      nextOffset: (wanted.at(-1)?.offset ?? from - 1) + 1,
      endOffset: offset,
    };
  };
  const log = { fetch } as unknown as PartitionLog;
  const held = new HeldBytes(1e9);
  const reader = new RangeReader({
    log,
    held,
    settings: { ...SETTINGS, encoding },
    seen: () => {},
    clock: { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} },
    random: () => 0.5,
    signal: new AbortController().signal,
    retried: () => {},
  });
  return { reader, held };
}

function record(offset: number, size: number): LoggedRecord {
  const value = new Uint8Array(size);
  return { offset, timestampMs: 0, key: undefined, value, headers: [] };
}

describe('the next range', () => {
  it('is closed by time when little comes', async () => {
    const { reader } = setUp([[10, 10], [10], [10], [10], [10], [10], [10]]);
    const { intent, records } = await reader.next(0);
    assert.deepEqual([intent.first, intent.last], [0, 5], 'after about a second');
    assert.equal(records.length, 6);
    assert.equal((await reader.next(6)).intent.first, 6);
  });

  it('is closed by bytes when much comes, and the rest is in the one behind', async () => {
    const big = 5_000_000;
    const { reader, held } = setUp([[big, big, big, big, big]]);
    const first = await reader.next(0);
    assert.equal(first.intent.last, 2, 'a guess of bytes a span, below a full block');
    const second = await reader.next(3);
    assert.deepEqual([second.intent.first, second.intent.last], [3, 4]);
    assert.ok(held.bytes > 5 * big);
    reader.release(0);
    reader.release(3);
    assert.equal(held.bytes, 0);
  });

  it('grows with the size of spans, up to what one block may take', async () => {
    const big = 9_000_000;
    const { reader } = setUp([[big, big, big, big, big]]);
    reader.learn([record(0, big)], 100);
    const { records } = await reader.next(0);
    assert.equal(records.length, Math.floor(RANGE_BYTES_MAX / big));
  });

  it('takes a record alone that is larger than a range', async () => {
    const { reader } = setUp([[RANGE_BYTES_MAX + 1, 10]]);
    assert.equal((await reader.next(0)).records.length, 1);
  });

  it('takes a fetch of more records than a function call can have arguments', async () => {
    const { reader } = setUp([new Array<number>(150_000).fill(1)]);
    const { intent } = await reader.next(0);
    assert.equal((await reader.exactly(intent)).records.length, 150_000);
  });

  it('is a quarter as large where records are translated first', async () => {
    const big = 3_000_000;
    const { reader } = setUp([new Array<number>(9).fill(big)], 'zipkin_json');
    reader.learn([record(0, big)], 100);
    assert.equal((await reader.next(0)).records.length, Math.floor(RANGE_BYTES_MAX / 4 / big));
  });
});
