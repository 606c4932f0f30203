import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { plain, RequestType } from '../../model/codec/otlp/testing/proto_root.ts';
import { RECORD_OVERHEAD_BYTES } from './record.ts';
import { SendPlan } from './send_plan.ts';

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

test('every byte is sent once, in order, and no batch is over the limit', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 9000 }), { maxLength: 200 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 8 }), (bytes, partitions) => {
      const plan = new SendPlan(10_000);
      plan.partitions(partitions);
      const queue = waiting(bytes);
      const values = queue.map(({ record }, i) => record.bytes.fill(i));
      const sent: Uint8Array[] = [];
      while (queue.length > 0) {
        const { taken, messages } = plan.next(queue);
        assert.ok(taken.length > 0);
        const batches = new Map<number, number>();
        for (const { partition, value } of messages) {
          assert.ok(partition >= 0 && partition < partitions);
          const size = value.byteLength + RECORD_OVERHEAD_BYTES;
          batches.set(partition, (batches.get(partition) ?? 0) + size);
          sent.push(value);
        }
        for (const size of batches.values()) assert.ok(size <= 10_000);
      }
      assert.ok(Buffer.concat(sent).equals(Buffer.concat(values)));
    }),
  );
});

test('small requests of one tenant are joined up to 100 KiB, large ones stay as they came', () => {
  const plan = new SendPlan(1_000_000);
  plan.partitions(1);
  const kib = 1024;
  const queue = waiting([40 * kib, 40 * kib, 40 * kib, 300 * kib, 1, 2]);
  const large = queue[3]?.record.bytes;
  const { messages } = plan.next(queue);
  assert.deepEqual(
    messages.map(({ value }) => value.byteLength),
    [80 * kib, 40 * kib, 300 * kib, 3],
  );
  assert.equal(messages[2]?.value, large, 'not even copied');
});

test('requests of two tenants never share a record', () => {
  const plan = new SendPlan(10_000);
  plan.partitions(1);
  const queue = waiting([1, 1, 1]).map(({ record }, i) => ({
    record: { ...record, tenant: i === 1 ? 'other' : 'default' },
  }));
  const { messages } = plan.next(queue);
  const tenants = messages.map(({ headers }) => new Map(headers).get('spanhouse.tenant'));
  assert.deepEqual(tenants, ['default', 'other', 'default']);
});

test('joined requests are one request to every decoder of OTLP', () => {
  const plan = new SendPlan(10_000_000);
  plan.partitions(1);
  const requests = ['otel-js-proto.1.bin', 'otel-go-http.1.bin'].map((name) =>
    readFileSync(new URL(`../../collector/receivers/testdata/${name}`, import.meta.url)),
  );
  const queue = requests.map((bytes) => ({
    record: { tenant: 'default', bytes, recordUnixNanos: 1_234_567_890n, spans: 1 },
  }));
  const [message] = plan.next(queue).messages;
  const joined = plain(RequestType, message?.value ?? new Uint8Array(0));
  const apart = requests.map((bytes) => plain(RequestType, bytes));
  assert.deepEqual(joined, {
    resourceSpans: apart.flatMap(({ resourceSpans }) => resourceSpans as unknown[]),
  });
});

test('one send holds at most a thousand records and eight MiB', () => {
  const plan = new SendPlan(1_000_000);
  plan.partitions(100);
  const alternating = waiting(Array.from({ length: 3000 }, () => 10)).map(({ record }, i) => ({
    record: { ...record, tenant: i % 2 === 0 ? 'even' : 'odd' },
  }));
  assert.equal(plan.next(alternating).messages.length, 1000);
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
