import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Message } from './driver.ts';
import { PublishError } from './publish_error.ts';
import { Publisher } from './publisher.ts';

interface Sent {
  readonly messages: readonly Message[];
  readonly driver: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Drivers that do nothing until the test says what became of a send. */
function setUp(options: { failOpens?: number; queueBytesMax?: number; lingerMs?: number } = {}) {
  const sends: Sent[] = [];
  const troubles: (string | undefined)[] = [];
  const counts = { opened: 0, closed: 0, published: 0, failed: 0, running: 0, runningMax: 0 };
  let failOpens = options.failOpens ?? 0;
  const publisher = new Publisher({
    openDriver: async () => {
      if (failOpens-- > 0) throw new Error('nobody there');
      counts.opened++;
      const driver = counts.opened;
      return {
        partitions: 2,
        send: (messages) => {
          counts.running++;
          counts.runningMax = Math.max(counts.runningMax, counts.running);
          return new Promise<void>((resolve, reject) => {
            sends.push({ messages, driver, resolve, reject });
          }).finally(() => {
            counts.running--;
          });
        },
        close: async () => {
          counts.closed++;
        },
      };
    },
    batchBytesMax: 10_000,
    queueBytesMax: options.queueBytesMax ?? 100_000,
    lingerMs: options.lingerMs ?? 1,
    onTrouble: (reason) => troubles.push(reason),
    ledger: {
      published: (records) => {
        counts.published += records;
      },
      sendFailed: () => {
        counts.failed++;
      },
    },
  });
  return { publisher, sends, troubles, counts };
}

function record(text: string) {
  return { tenant: 'default', bytes: Buffer.from(text), recordUnixNanos: 1_000_000n, spans: 1 };
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !what(); i++) await sleep(5);
  assert.ok(what());
}

const texts = (sent: Sent | undefined): string[] =>
  (sent?.messages ?? []).map(({ value }) => Buffer.from(value).toString());

const isUnavailable = (error: unknown): boolean =>
  error instanceof PublishError && error.reason === 'unavailable' && error.retryAfterMs >= 1000;

describe('Publisher', () => {
  it('says yes only when the send has come back', async () => {
    const { publisher, sends, counts } = setUp();
    await until(() => publisher.trouble === undefined);
    let answered = false;
    const published = publisher.publish(record('a')).then(() => {
      answered = true;
    });
    await until(() => sends.length === 1);
    await sleep(20);
    assert.equal(answered, false);
    assert.ok(publisher.oldestWaitMs >= 20);
    sends[0]?.resolve();
    await published;
    assert.equal(publisher.oldestWaitMs, 0);
    assert.equal(counts.published, 1);
    await publisher.stop(100);
    assert.equal(publisher.queuedBytes, 0);
  });

  it('gathers while a send runs, and never has two under way', async () => {
    const { publisher, sends, counts } = setUp();
    await until(() => publisher.trouble === undefined);
    const first = publisher.publish(record('a'));
    await until(() => sends.length === 1);
    const others = ['b', 'c', 'd'].map((text) => publisher.publish(record(text)));
    await sleep(20);
    assert.equal(sends.length, 1);
    sends[0]?.resolve();
    await until(() => sends.length === 2);
    assert.deepEqual(texts(sends[1]), ['bcd']);
    sends[1]?.resolve();
    await Promise.all([first, ...others]);
    assert.equal(counts.runningMax, 1);
    await publisher.stop(100);
  });

  it('waits a moment for company, and not when there is enough', async () => {
    const { publisher, sends } = setUp({ lingerMs: 150 });
    await until(() => publisher.trouble === undefined);
    const startMs = performance.now();
    const small = [publisher.publish(record('a')), publisher.publish(record('b'))];
    await until(() => sends.length === 1);
    assert.ok(performance.now() - startMs >= 140);
    sends[0]?.resolve();
    await Promise.all(small);
    const againMs = performance.now();
    const large = Array.from({ length: 3 }, () => publisher.publish(record('x'.repeat(4000))));
    await until(() => sends.length === 2);
    assert.ok(performance.now() - againMs < 120);
    sends[1]?.resolve();
    await Promise.all(large);
    await publisher.stop(100);
  });

  it('uses a driver no more after its first failure: its sequence numbers may be spent', async () => {
    const { publisher, sends, counts } = setUp();
    await until(() => publisher.trouble === undefined);
    const failed = publisher.publish(record('a'));
    await until(() => sends.length === 1);
    sends[0]?.reject(new Error('broken'));
    await assert.rejects(failed, isUnavailable);
    await until(() => counts.opened === 2 && publisher.trouble === undefined);
    assert.equal(counts.closed, 1);
    const next = publisher.publish(record('b'));
    await until(() => sends.length === 2);
    assert.equal(sends[1]?.driver, 2);
    sends[1]?.resolve();
    await next;
    await publisher.stop(100);
  });

  it('tells senders of a silent broker after about a second, and new ones at once', async () => {
    const { publisher, sends, troubles } = setUp();
    await until(() => publisher.trouble === undefined);
    const startMs = performance.now();
    const sending = publisher.publish(record('a'));
    await until(() => sends.length === 1);
    const waiting = publisher.publish(record('b'));
    await assert.rejects(sending, isUnavailable);
    await assert.rejects(waiting, isUnavailable);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs >= 900 && tookMs < 2000, `${tookMs} ms`);
    await until(() => publisher.trouble !== undefined);
    const againMs = performance.now();
    await assert.rejects(publisher.publish(record('c')), isUnavailable);
    assert.ok(performance.now() - againMs < 50);
    assert.ok(publisher.queuedBytes > 0, 'what is on its way counts until its fate is known');
    sends[0]?.resolve();
    await until(() => publisher.trouble === undefined);
    assert.equal(publisher.queuedBytes, 0);
    assert.match(String(troubles.at(-2)), /stopped to acknowledge/);
    assert.equal(troubles.at(-1), undefined);
    await publisher.stop(100);
  });

  it('keeps trying to connect, and says why it could not', async () => {
    const { publisher, troubles } = setUp({ failOpens: 2 });
    await assert.rejects(publisher.publish(record('a')), isUnavailable);
    await until(() => publisher.trouble === undefined);
    assert.deepEqual(troubles, ['nobody there', undefined]);
    await publisher.stop(100);
  });

  it('takes no more than its bytes, and says busy', async () => {
    const { publisher, sends } = setUp({ queueBytesMax: 3000 });
    await until(() => publisher.trouble === undefined);
    const outcomes = Array.from({ length: 5 }, () => publisher.publish(record('x'.repeat(800))));
    const settled = Promise.allSettled(outcomes);
    await until(() => sends.length === 1);
    assert.ok(publisher.queuedBytes <= 3000);
    sends[0]?.resolve();
    const refused = (await settled).filter(({ status }) => status === 'rejected');
    assert.equal(refused.length, 3);
    for (const one of refused) assert.equal(one.status === 'rejected' && one.reason.reason, 'busy');
    await publisher.stop(100);
  });

  it('never sends a record that no batch can hold', async () => {
    const { publisher, sends } = setUp();
    await until(() => publisher.trouble === undefined);
    await assert.rejects(publisher.publish(record('x'.repeat(10_001))), RangeError);
    await publisher.stop(100);
    assert.equal(sends.length, 0);
  });

  it('stop ends with its grace, whatever the brokers do', async () => {
    const { publisher, sends } = setUp();
    await until(() => publisher.trouble === undefined);
    const sending = publisher.publish(record('a'));
    const refused = assert.rejects(sending, isUnavailable);
    await until(() => sends.length === 1);
    const startMs = performance.now();
    await publisher.stop(200);
    assert.ok(performance.now() - startMs < 700);
    await refused;
    await assert.rejects(publisher.publish(record('b')), isUnavailable);
  });
});
