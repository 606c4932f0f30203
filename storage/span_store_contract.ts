// What every SpanStore must pass. A store's own test opens it and calls spanStoreContract.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Block, type SpanStore, StoreError } from './span_store.ts';

export interface SpanStoreUnderTest {
  readonly store: SpanStore;
  /** Native rows for spans_in: `rows` spans of ten operations of one service and one resource. */
  makeNative(rows: number, seed: number): Promise<Uint8Array>;
  /** Native rows with a column that spans_in does not have. */
  makeForeignNative(): Promise<Uint8Array>;
  /** Rows in a table, duplicates included. */
  count(table: 'spans' | 'search'): Promise<number>;
  /** Rows ever written to the tables that hold each thing once, e.g. trace_summaries. */
  countDerived(): Promise<number>;
  /** Kills the store without warning; it must come back by itself. */
  crash(): Promise<void>;
  close(): Promise<void>;
}

export function spanStoreContract(name: string, open: () => Promise<SpanStoreUnderTest>): void {
  describe(`${name} as a SpanStore`, () => {
    let subject: SpanStoreUnderTest;
    before(async () => {
      subject = await open();
    });
    after(() => subject.close());

    const block = async (token: string, rows: number, seed = 0): Promise<Block> => ({
      token,
      rows,
      native: await subject.makeNative(rows, seed),
    });

    test('stores a block in every table before it answers', async () => {
      const before = await subject.count('spans');
      await subject.store.insert(await block('first', 1000));
      assert.equal(await subject.count('spans'), before + 1000);
      assert.equal(await subject.count('search'), before + 1000);
    });

    test('stores a block once in every table however often its token comes', async () => {
      const again = await block('again', 2000, 10_000);
      await subject.store.insert(again);
      const spans = await subject.count('spans');
      const derived = await subject.countDerived();
      await subject.store.insert(again);
      await Promise.all([subject.store.insert(again), subject.store.insert(again)]);
      assert.equal(await subject.count('spans'), spans);
      assert.equal(await subject.count('search'), spans);
      assert.equal(await subject.countDerived(), derived);
    });

    test('stores the same rows again under another token, for readers to tell apart', async () => {
      const before = await subject.count('spans');
      const one = await block('token one', 500, 20_000);
      await subject.store.insert(one);
      await subject.store.insert({ ...one, token: 'token two' });
      assert.equal(await subject.count('spans'), before + 1000);
    });

    test('takes any bytes of a token as a token', async () => {
      const before = await subject.count('spans');
      const token = "'; DROP TABLE spans; -- \\ \n \u00fc {x:String}";
      await subject.store.insert(await block(token, 10, 30_000));
      await subject.store.insert(await block(token, 10, 30_000));
      assert.equal(await subject.count('spans'), before + 10);
    });

    test('refuses a block with a foreign column for good', async () => {
      const native = await subject.makeForeignNative();
      await assert.rejects(subject.store.insert({ token: 'foreign', rows: 1, native }), (error) => {
        assert.ok(error instanceof StoreError);
        assert.equal(error.retryable, false);
        return true;
      });
    });

    test('refuses a block that is cut short for good, and stores nothing of it', async () => {
      const before = await subject.count('spans');
      const { native } = await block('cut', 1000, 40_000);
      const cut = { token: 'cut', rows: 1000, native: native.subarray(0, native.length / 2) };
      await assert.rejects(subject.store.insert(cut), { name: 'StoreError', retryable: false });
      assert.equal(await subject.count('spans'), before);
    });

    test('refuses a block without a token', async () => {
      const without = await block('', 10);
      await assert.rejects(subject.store.insert(without), { retryable: false });
    });

    test('a crash amid inserts loses nothing acknowledged, retries store once', async () => {
      const before = await subject.count('spans');
      const blocks = await Promise.all(
        Array.from({ length: 6 }, (_, i) => block(`crash ${i}`, 20_000, 100_000 * (i + 1))),
      );
      let failures = 0;
      const crash = new Promise((resolve) => setTimeout(resolve, 120)).then(() => subject.crash());
      for (const one of blocks) {
        for (let attempt = 0; ; attempt += 1) {
          try {
            await subject.store.insert(one);
            break;
          } catch (error) {
            failures += 1;
            assert.ok(error instanceof StoreError);
            assert.ok(error.retryable, error.message);
            assert.ok(attempt < 20, 'the store did not come back');
          }
        }
      }
      await crash;
      assert.ok(failures > 0, 'the crash met no insert: this test has shown nothing');
      assert.equal(await subject.count('spans'), before + 6 * 20_000);
      assert.equal(await subject.count('search'), before + 6 * 20_000);
    });
  });
}
