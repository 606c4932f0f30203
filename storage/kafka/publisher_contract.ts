// What publishing must do on a real broker, whichever client drives it.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Compression, KafkaConnection } from './connection.ts';
import type { Driver } from './driver.ts';
import type { DriverOptions } from './kafkajs_driver.ts';
import { PublishError } from './publish_error.ts';
import { Publisher } from './publisher.ts';
import { startTestBroker, type TestBroker } from './testing/broker.ts';
import { readTopic } from './testing/topic_reader.ts';
import { ensureTopic } from './topics.ts';

const BATCH_BYTES = 900_000;
const RECORD_MS = 1_700_000_000_123;

type Open = (options: DriverOptions) => Promise<Driver>;

/** Registers the tests of one driver. */
export function publisherContract(name: string, open: Open): void {
  describe(`${name} on a real broker`, () => {
    let broker: TestBroker;
    let number = 0;
    before(async () => {
      broker = await startTestBroker();
    });
    const publishers: Publisher[] = [];
    // Also those of tests that failed: an open one would keep the file from ending.
    after(async () => {
      await Promise.all(publishers.map((publisher) => publisher.stop(0)));
      await broker?.stop();
    });

    async function setUp(more: { compression?: Compression; queueBytesMax?: number } = {}) {
      const topic = `contract-${number++}`;
      const connection: KafkaConnection = { brokers: [broker.bootstrap], clientId: 'test' };
      const sizes = { partitions: 3, replication: 1, batchBytesMax: BATCH_BYTES };
      await ensureTopic(connection, { topic, create: true, ...sizes });
      const ledger = { published: 0, failed: 0 };
      const publisher = new Publisher({
        openDriver: () => open({ connection, topic, compression: more.compression ?? 'none' }),
        batchBytesMax: BATCH_BYTES,
        queueBytesMax: more.queueBytesMax ?? 64_000_000,
        lingerMs: 2,
        onTrouble: () => undefined,
        ledger: {
          published: (records) => {
            ledger.published += records;
          },
          sendFailed: () => {
            ledger.failed++;
          },
        },
      });
      publishers.push(publisher);
      await connected(publisher);
      return { topic, publisher, ledger, read: () => readTopic(broker.direct, topic) };
    }

    for (const compression of ['none', 'lz4', 'zstd'] as const) {
      it(`what is acknowledged can be read, by ${compression}`, async () => {
        const { publisher, read } = await setUp({ compression });
        const texts = Array.from({ length: 300 }, (_, i) => `${i}:${'x'.repeat(i * 20)}`);
        await Promise.all(texts.map((text) => publisher.publish(record(text))));
        await publisher.stop(1000);
        const records = await read();
        assert.deepEqual(textsIn(records).sort(), texts.sort());
        assert.deepEqual(records[0]?.headers, {
          'spanhouse.version': '1',
          'spanhouse.tenant': 'default',
        });
        assert.ok(records.every(({ timestampMs }) => timestampMs === RECORD_MS));
      });
    }

    it('partitions fill evenly by bytes, whatever the sizes', async () => {
      const { publisher, read } = await setUp();
      for (let i = 0; i < 30; i++) {
        const burst = [200_000, 1000, 50_000, 7000].map((size) => record('y'.repeat(size)));
        await Promise.all(burst.map((one) => publisher.publish(one)));
      }
      await publisher.stop(1000);
      const bytes = [0, 0, 0];
      for (const { partition, value } of await read()) bytes[partition]! += value.length;
      assert.ok(Math.max(...bytes) < 1.2 * Math.min(...bytes), bytes.join(' '));
    });

    it('a connection that is cut with answers on their way doubles nothing', async () => {
      const { publisher, ledger, read } = await setUp();
      await publisher.publish(record('first'));
      await broker.tell('drop 1');
      const waiting = Array.from({ length: 5 }, (_, i) => publisher.publish(record(`lost ${i}`)));
      // Long enough for the broker to have written it, short enough for senders to wait.
      await sleep(300);
      await broker.tell('heal 1');
      await broker.tell('cut 1');
      const outcomes = await Promise.allSettled(waiting);
      await publisher.stop(5000);
      const texts = textsIn(await read());
      assert.deepEqual(new Set(texts).size, texts.length, `doubled: ${texts.join(', ')}`);
      for (const [i, { status }] of outcomes.entries()) {
        if (status === 'fulfilled') assert.ok(texts.includes(`lost ${i}`));
      }
      assert.deepEqual(
        outcomes.filter(({ status }) => status === 'rejected'),
        [],
        'a short cut is bridged by the client, under the same sequence numbers',
      );
      assert.equal(ledger.failed, 0);
    });

    it('a send that failed does not make the next one vanish', async () => {
      const { publisher, read } = await setUp();
      await publisher.publish(record('first'));
      // Written, but nobody will ever hear of it: the next send must not reuse its numbers.
      await broker.tell('drop 1');
      await refusedWithin(publisher.publish(record('written, unheard')), 2500);
      await broker.tell('kill 1');
      await broker.tell('heal 1');
      await broker.tell('restart 1');
      await connected(publisher);
      const texts = Array.from({ length: 20 }, (_, i) => `after ${i}`);
      for (const text of texts) await publisher.publish(record(text));
      await publisher.stop(1000);
      const there = new Set(textsIn(await read()));
      for (const text of ['first', ...texts]) assert.ok(there.has(text), `${text} is not there`);
    });

    it('a broker that is killed, or holds still, is known within about a second', async () => {
      const { publisher } = await setUp();
      for (const [hurt, heal] of [
        ['pause 1', 'resume 1'],
        ['kill 1', 'restart 1'],
      ] as const) {
        await publisher.publish(record('before'));
        await broker.tell(hurt);
        await refusedWithin(publisher.publish(record('during')), 2500);
        await refusedWithin(publisher.publish(record('at once')), 1500);
        await broker.tell(heal);
        await connected(publisher);
        await publisher.publish(record('after'));
      }
      await publisher.stop(1000);
    });

    it('more than the queue holds is refused as busy, and counts as nothing afterwards', async () => {
      const { publisher } = await setUp({ queueBytesMax: 1_000_000 });
      const burst = Array.from({ length: 30 }, () => publisher.publish(record('z'.repeat(99_000))));
      const outcomes = await Promise.allSettled(burst);
      const busy = outcomes.filter(
        (one) => one.status === 'rejected' && one.reason.reason === 'busy',
      );
      assert.equal(busy.length, 20);
      assert.equal(publisher.queuedBytes, 0);
      await publisher.publish(record('room again'));
      await publisher.stop(1000);
    });

    it('stop sends what was taken, and then refuses', async () => {
      const { publisher, read } = await setUp();
      const taken = Array.from({ length: 50 }, (_, i) => publisher.publish(record(`${i}`)));
      const stopped = publisher.stop(5000);
      await refusedWithin(publisher.publish(record('late')), 100);
      await Promise.all(taken);
      await stopped;
      assert.equal(textsIn(await read()).length, 50);
    });
  });
}

function record(text: string) {
  const recordUnixNanos = BigInt(RECORD_MS) * 1_000_000n;
  return { tenant: 'default', bytes: Buffer.from(`${text};`), recordUnixNanos, spans: 1 };
}

/** Of all requests: small ones share a record, one behind the other. */
function textsIn(records: readonly { readonly value: Uint8Array }[]): string[] {
  return records.flatMap(({ value }) => Buffer.from(value).toString().split(';').slice(0, -1));
}

async function connected(publisher: Publisher): Promise<void> {
  const endMs = performance.now() + 30_000;
  while (publisher.trouble !== undefined) {
    assert.ok(performance.now() < endMs, publisher.trouble);
    await sleep(20);
  }
}

async function refusedWithin(published: Promise<void>, ms: number): Promise<void> {
  const startMs = performance.now();
  await assert.rejects(published, (error) => {
    assert.ok(error instanceof PublishError, String(error));
    assert.equal(error.reason, 'unavailable');
    assert.ok(error.retryAfterMs >= 1000);
    return true;
  });
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs < ms, `a refusal took ${tookMs} ms`);
}
