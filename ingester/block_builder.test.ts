import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBlockBuilder } from './block_builder.ts';

// ResourceSpans { ScopeSpans { Span { trace_id, span_id, start = 1 ns } } }, by hand.
const SPAN = [
  [0x0a, 16, ...new Array(16).fill(7)],
  [0x12, 8, ...new Array(8).fill(9)],
  [0x39, 1, 0, 0, 0, 0, 0, 0, 0],
].flat();

function message(tag: number, body: number[]): number[] {
  return [tag, body.length, ...body];
}

const REQUEST = new Uint8Array(message(0x0a, message(0x12, message(0x12, SPAN))));

describe('block builder', () => {
  const builder = startBlockBuilder({ maxAgeSeconds: 3600 });
  after(() => builder.stop());

  it('turns records into a block off the main thread', async () => {
    const record = { tenant: 't', bytes: REQUEST.slice(), recordUnixNanos: 5n, spans: 1 };
    const built = await builder.build([record, { ...record, bytes: REQUEST.slice() }]);
    assert.equal(built.blocks.length, 1);
    assert.equal(built.blocks[0]?.rows, 2);
    assert.equal(built.counts.spans, 2);
    assert.deepEqual(built.failed, []);
  });

  it('keeps bytes intact that share their buffer with others', async () => {
    const shared = new Uint8Array(REQUEST.length + 8);
    shared.set(REQUEST, 4);
    const bytes = shared.subarray(4, 4 + REQUEST.length);
    const built = await builder.build([{ tenant: 't', bytes, recordUnixNanos: 5n, spans: 1 }]);
    assert.equal(built.blocks[0]?.rows, 1);
    assert.deepEqual([...bytes], [...REQUEST]);
  });

  it('leaves out a record that breaks the walk and keeps its neighbours', async () => {
    const good = { tenant: 't', bytes: REQUEST.slice(), recordUnixNanos: 5n, spans: 1 };
    const cut = { ...good, bytes: REQUEST.slice(0, REQUEST.length - 3) };
    const built = await builder.build([cut, good]);
    assert.deepEqual(built.failed, [0]);
    assert.equal(built.blocks[0]?.rows, 1);
  });

  it('loses what a thread had with that thread, and nothing of the next one', async () => {
    const own = startBlockBuilder({ maxAgeSeconds: 3600 });
    const record = { tenant: 't', bytes: REQUEST, recordUnixNanos: 5n, spans: 1 };
    const lost = assert.rejects(own.build([record]), /the block builder stopped/);
    const stopped = own.stop();
    const built = own.build([record]);
    await Promise.all([lost, stopped]);
    assert.equal((await built).blocks[0]?.rows, 1);
    await own.stop();
  });

  it('makes the same bytes of the same records, whatever it built before and whenever', async () => {
    const record = (tenant: string, recordUnixNanos: bigint) => ({
      tenant,
      bytes: REQUEST.slice(),
      recordUnixNanos,
      spans: 1,
    });
    const wanted = () => [record('t', 5n), record('u', 6n)];
    const [first] = (await builder.build(wanted())).blocks;
    for (let other = 0; other < 3; other++) await builder.build([record(`other ${other}`, 9n)]);
    await sleep(20);
    const [again] = (await builder.build(wanted())).blocks;
    const fresh = startBlockBuilder({ maxAgeSeconds: 3600 });
    const [anew] = (await fresh.build(wanted())).blocks;
    await fresh.stop();
    assert.ok(first !== undefined && first.rows === 2);
    assert.deepEqual(again?.native, first.native);
    assert.deepEqual(anew?.native, first.native);
  });
});
