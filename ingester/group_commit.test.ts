import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noneRejected } from '../model/codec/otlp/check_result.ts';
import { RefusalError } from '../service/refusal.ts';
import type { LogRecord } from '../storage/span_log.ts';
import { type Block, type SpanStore, StoreError } from '../storage/span_store.ts';
import type { BlockBuilder } from './block_builder.ts';
import type { Built } from './build_blocks.ts';
import { GroupCommit } from './group_commit.ts';

const NO_LOSS = {
  rejected: noneRejected(),
  droppedAttributes: 0,
  droppedEvents: 0,
  droppedLinks: 0,
  cutValues: 0,
};

function record(spans = 1, bytes = 10): LogRecord {
  return { tenant: 't', bytes: new Uint8Array(bytes), recordUnixNanos: 0n, spans };
}

/** A builder that makes one block a group, whose rows are the group's spans. */
function plainBuilder(failed: number[] = []): BlockBuilder {
  return {
    build: async (records): Promise<Built> => {
      const rows = records.reduce((sum, r) => sum + r.spans, 0);
      return {
        blocks: [{ native: new Uint8Array(8), rows }],
        counts: { ...NO_LOSS, spans: rows },
        failed,
      };
    },
    stop: async () => {},
  };
}

/** A store whose inserts end when the test says so. */
class GatedStore implements SpanStore {
  readonly blocks: Block[] = [];
  readonly ends: ((error?: Error) => void)[] = [];
  insert(block: Block): Promise<void> {
    this.blocks.push(block);
    return new Promise((resolve, reject) => {
      this.ends.push((error) => (error === undefined ? resolve() : reject(error)));
    });
  }
  /** Waits for insert number `n` (from 0) to begin. */
  async begun(n: number): Promise<void> {
    while (this.blocks.length <= n) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function setUp(store: SpanStore, options: { builder?: BlockBuilder; queueBytesMax?: number } = {}) {
  const stored: number[] = [];
  const failures: unknown[] = [];
  const commit = new GroupCommit({
    store,
    builder: options.builder ?? plainBuilder(),
    ledger: {
      stored: (n) => stored.push(n),
      inserted: () => {},
      retried: () => {},
      lost: () => {},
    },
    runId: 'run',
    queueBytesMax: options.queueBytesMax ?? 1_000_000,
    nowMs: () => performance.now(),
    failed: (error) => failures.push(error.cause),
  });
  return { commit, stored, failures };
}

describe('group commit', () => {
  it('answers a sender only when its spans are in the store', async () => {
    const store = new GatedStore();
    const { commit, stored } = setUp(store);
    let answered = false;
    const publishing = commit.publish(record(3)).then(() => {
      answered = true;
    });
    await store.begun(0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(answered, false);
    store.ends[0]?.();
    await publishing;
    assert.deepEqual(stored, [3]);
    await commit.stop();
  });

  it('gathers what arrives during an insert into the next block', async () => {
    const store = new GatedStore();
    const { commit } = setUp(store);
    const first = commit.publish(record());
    await store.begun(0);
    const others = [commit.publish(record(2)), commit.publish(record(3))];
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(store.blocks.length, 1);
    store.ends[0]?.();
    await first;
    await store.begun(1);
    assert.equal(store.blocks[1]?.rows, 5);
    store.ends[1]?.();
    await Promise.all(others);
    await commit.stop();
  });

  it('never uses a token twice', async () => {
    const tokens = new Set<string>();
    const { commit } = setUp({
      insert: async (block) => {
        tokens.add(block.token);
      },
    });
    for (let i = 0; i < 5; i++) await commit.publish(record(300));
    assert.equal(tokens.size, 5);
    await commit.stop();
  });

  it('inserts an unanswered block again under its token', async () => {
    const tokens: string[] = [];
    const { commit } = setUp({
      insert: async (block) => {
        tokens.push(block.token);
        if (tokens.length < 3) throw new StoreError('engine gone', true);
      },
    });
    await commit.publish(record());
    assert.deepEqual(tokens, ['run:0:0', 'run:0:0', 'run:0:0']);
    await commit.stop();
  });

  it('says internal, not retryable, where the store can never take the rows', async () => {
    const reason = new StoreError('no such column', false);
    const { commit, failures } = setUp({
      insert: async () => {
        throw reason;
      },
    });
    await assert.rejects(commit.publish(record()), (error) => {
      assert.ok(error instanceof RefusalError);
      assert.equal(error.refusal.code, 'internal');
      assert.equal(error.refusal.retryAfterMs, undefined);
      return true;
    });
    assert.deepEqual(failures, [reason]);
    await commit.stop();
  });

  it('refuses with a delay when too many bytes wait', async () => {
    const store = new GatedStore();
    const { commit } = setUp(store, { queueBytesMax: 100 });
    const first = commit.publish(record(1, 10));
    await store.begun(0);
    const second = commit.publish(record(1, 90));
    await assert.rejects(commit.publish(record(1, 20)), (error) => {
      assert.ok(error instanceof RefusalError);
      assert.equal(error.refusal.code, 'busy');
      assert.equal(error.refusal.retryAfterMs, 1000);
      assert.match(error.message, /90 bytes wait for the store, the limit is 100/);
      return true;
    });
    store.ends[0]?.();
    await first;
    await store.begun(1);
    store.ends[1]?.();
    await second;
    await commit.stop();
  });

  it('answers only the request that could not be transcoded with an error', async () => {
    const store = new GatedStore();
    const { commit } = setUp(store, { builder: plainBuilder([0]) });
    const bad = commit.publish(record());
    const good = commit.publish(record());
    await assert.rejects(bad, RefusalError);
    store.ends[0]?.();
    await good;
    await commit.stop();
  });

  it('inserts what it has taken before it stops, and takes nothing more', async () => {
    const store = new GatedStore();
    const { commit } = setUp(store);
    const first = commit.publish(record());
    await store.begun(0);
    const second = commit.publish(record());
    const stopping = commit.stop();
    await assert.rejects(commit.publish(record()), /shutting down/);
    store.ends[0]?.();
    await store.begun(1);
    store.ends[1]?.();
    await Promise.all([first, second, stopping]);
  });

  it('fills a block no further than its rows, and goes on with the next', async () => {
    const store = new GatedStore();
    const { commit } = setUp(store);
    const first = commit.publish(record());
    await store.begun(0);
    const many = [1, 2, 3].map(() => commit.publish(record(40_000)));
    store.ends[0]?.();
    await first;
    for (const n of [1, 2, 3]) {
      await store.begun(n);
      assert.equal(store.blocks[n]?.rows, 40_000);
      store.ends[n]?.();
    }
    await Promise.all(many);
    await commit.stop();
  });
});
