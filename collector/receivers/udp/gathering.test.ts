import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { shownSpans } from '../../../model/codec/jaeger/testing/from_otlp.ts';
import { datagramOf } from '../testing/datagrams.ts';
import { UdpGathering } from './gathering.ts';
import type { Bug, Gathered } from './messages.ts';

const MIB = 1024 * 1024;

function rig() {
  const posted: Gathered[] = [];
  const bugs: Bug[] = [];
  const held = new Int32Array(new SharedArrayBuffer(4));
  const gathering = new UdpGathering(3, held, (message) => {
    if (message.kind === 'bug') bugs.push(message);
    else posted.push(message);
  });
  const total = (of: (gathered: Gathered) => number) =>
    posted.reduce((sum, gathered) => sum + of(gathered), 0);
  return { gathering, posted, bugs, held, total };
}

test('datagrams that come together are one request, in their order', async () => {
  const { gathering, posted, held } = rig();
  for (let i = 0; i < 20; i++) gathering.add(datagramOf(i));
  assert.equal(posted.length, 0);
  while (posted.length === 0) await sleep(1);
  const ids = posted.flatMap(({ bytes }) => shownSpans(bytes)).map(({ spanId }) => spanId);
  gathering.finish();
  assert.deepEqual(
    ids,
    Array.from({ length: ids.length }, (_, i) => (i + 1).toString(16).padStart(16, '0')),
  );
  assert.equal(posted[0]?.port, 3);
  assert.ok((held[0] ?? 0) > 0);
});

test('what is translated after a request was handed on comes with the next one', async () => {
  const { gathering, posted, total } = rig();
  // More than the linger's worth, so that some are still waiting when it is over.
  const count = 3000;
  for (let i = 0; i < count; i++) gathering.add(datagramOf(i));
  const startMs = performance.now();
  while (total(({ datagrams }) => datagrams) < count) {
    assert.ok(performance.now() - startMs < 20_000, `${posted.length} requests`);
    await sleep(1);
  }
  assert.ok(posted.length > 1);
});

test('of more than can wait to be translated the oldest are dropped, and all are counted', () => {
  const { gathering, posted, bugs, total } = rig();
  const garbage = new Uint8Array(60_000);
  const count = Math.ceil((40 * MIB) / garbage.length);
  for (let i = 0; i < count; i++) gathering.add(garbage);
  gathering.add(datagramOf(1));
  gathering.finish();
  const full = total(({ dropped }) => dropped.full);
  assert.ok(full > 0 && full < count / 2, `${full} of ${count} dropped`);
  assert.equal(full + total(({ dropped }) => dropped.malformed), count);
  assert.equal(
    total(({ datagrams }) => datagrams),
    1,
  );
  assert.equal(total(({ receivedBytes }) => receivedBytes) > 40 * MIB, true);
  assert.deepEqual([posted.length, bugs], [1, []]);
});

test('while the collector takes nothing, nothing more is made for it', () => {
  const { gathering, held, total } = rig();
  held[0] = 128 * MIB;
  for (let i = 0; i < 5; i++) gathering.add(datagramOf(i));
  gathering.finish();
  assert.equal(
    total(({ dropped }) => dropped.full),
    5,
  );
  assert.equal(
    total(({ datagrams }) => datagrams),
    0,
  );
});
