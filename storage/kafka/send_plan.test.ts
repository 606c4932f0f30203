import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { recordSize, SendPlan } from './send_plan.ts';

function waiting(sizes: readonly number[]) {
  return sizes.map((size) => ({
    record: {
      tenant: 'default',
      bytes: new Uint8Array(size),
      recordUnixNanos: 1_234_567_890n,
      spans: 1,
    },
  }));
}

test('every record is sent once, in order, and no batch is over the limit', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 9000 }), { maxLength: 200 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 8 }), (bytes, partitions) => {
      const plan = new SendPlan(10_000);
      plan.partitions(partitions);
      const queue = waiting(bytes);
      const values = queue.map(({ record }) => record.bytes);
      const sent: Uint8Array[] = [];
      while (queue.length > 0) {
        const { taken, messages } = plan.next(queue);
        assert.ok(taken.length > 0);
        assert.equal(taken.length, messages.length);
        const batches = new Map<number, number>();
        messages.forEach(({ partition, value }, i) => {
          assert.ok(partition >= 0 && partition < partitions);
          const size = recordSize(taken[i]!.record);
          batches.set(partition, (batches.get(partition) ?? 0) + size);
          sent.push(value);
        });
        for (const size of batches.values()) assert.ok(size <= 10_000);
      }
      assert.deepEqual(sent, values);
    }),
  );
});

test('one send holds at most a thousand records and eight MiB', () => {
  const plan = new SendPlan(1_000_000);
  plan.partitions(100);
  assert.equal(plan.next(waiting(Array.from({ length: 3000 }, () => 10))).taken.length, 1000);
  const { taken } = plan.next(waiting(Array.from({ length: 20 }, () => 900_000)));
  assert.ok(taken.length >= 8 && taken.length <= 9, `${taken.length}`);
});

test('the next batch goes where there are fewest bytes', () => {
  const plan = new SendPlan(10_000);
  plan.partitions(2);
  const where = (size: number) => plan.next(waiting([size])).messages[0]?.partition;
  assert.deepEqual([where(9000), where(100), where(100), where(100)], [0, 1, 1, 1]);
});

test('a partition that was added begins level with the emptiest', () => {
  const plan = new SendPlan(10_000);
  plan.partitions(2);
  for (let i = 0; i < 100; i++) plan.next(waiting([5000]));
  plan.partitions(3);
  const seen = new Set<number | undefined>();
  for (let i = 0; i < 3; i++) seen.add(plan.next(waiting([5000])).messages[0]?.partition);
  assert.equal(seen.size, 3);
});

test('the time of a record is when it was accepted, in milliseconds', () => {
  const plan = new SendPlan(10_000);
  plan.partitions(1);
  assert.equal(plan.next(waiting([1])).messages[0]?.timestampMs, 1234);
});
