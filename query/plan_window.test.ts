import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NativeBlock } from '../storage/clickhouse/native_column.ts';
import type { Select } from '../storage/clickhouse/select.ts';
import { planWindow } from './settled.ts';

const BUCKET = 300;
const NANOS = 1_000_000_000n;

/** Answers with buckets by number: c(lean), l(ate), o(pen); a blank has no spans. */
function storeOf(buckets: string): Select {
  const there = [...buckets].flatMap((state, i) => (state === ' ' ? [] : [{ i, state }]));
  const numbers = (of: (bucket: { i: number; state: string }) => number) =>
    ({ kind: 'number', values: Uint32Array.from(there, of) }) as const;
  const block = new NativeBlock(
    there.length,
    new Map([
      ['bucket', numbers(({ i }) => i * BUCKET)],
      ['settled', numbers(({ state }) => Number(state !== 'o'))],
      ['clean', numbers(({ state }) => Number(state === 'c'))],
    ]),
  );
  return () => Promise.resolve([block].values() as Generator<NativeBlock, void>);
}

/** Each second of the window: how it is answered; several letters where more than once. */
async function coverOf(buckets: string, fromSeconds: number, toSeconds: number) {
  const { settled, fromSpans } = await planWindow(storeOf(buckets), {
    tenant: 'acme',
    fromUnixNanos: BigInt(fromSeconds) * NANOS,
    toUnixNanos: BigInt(toSeconds) * NANOS - 1n,
  });
  const isExcept = (bucket: number): boolean =>
    settled?.except.some((run) => bucket >= run.firstBucket && bucket <= run.lastBucket) ?? false;
  const cover = Array.from({ length: buckets.length * BUCKET }, (_, second) => {
    const at = BigInt(second) * NANOS;
    const spans = fromSpans.filter(
      ({ fromUnixNanos, toUnixNanos }) => at >= fromUnixNanos && at <= toUnixNanos,
    );
    const bucket = Math.floor(second / BUCKET) * BUCKET;
    const isSettled =
      settled !== undefined &&
      bucket >= settled.firstBucket &&
      bucket <= settled.lastBucket &&
      !isExcept(bucket) &&
      buckets[bucket / BUCKET] !== 'o';
    return 'p'.repeat(spans.length) + (isSettled ? 's' : '');
  });
  return { cover, stretches: fromSpans.length };
}

test('every second with spans is answered once, whatever is settled', async () => {
  let state = 7;
  for (let run = 0; run < 200; run++) {
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return Math.floor((state / 0x8000_0000) * below);
    };
    const buckets = Array.from({ length: 1 + random(80) }, () => 'cclo '[random(5)]).join('');
    const from = random(buckets.length * BUCKET);
    const to = from + 1 + random(buckets.length * BUCKET - from);
    const { cover, stretches } = await coverOf(buckets, from, to);
    assert.ok(stretches <= 16);
    for (const [second, by] of cover.entries()) {
      const isAsked = second >= from && second < to;
      const hasSpans = buckets[Math.floor(second / BUCKET)] !== ' ';
      if (isAsked && hasSpans) assert.equal(by.length, 1, `${buckets} ${from} ${to} ${second}`);
      if (!isAsked) assert.equal(by, '', `${buckets} ${from} ${to} ${second}`);
    }
  }
});

test('what is settled and whole is not counted again; what came late or is cut is', async () => {
  const answered = async (buckets: string, from: number, to: number): Promise<string> => {
    const { cover } = await coverOf(buckets, from, to);
    return cover.filter((_, second) => second % 100 === 50).join('');
  };
  assert.equal(await answered('ccco', 0, 1200), 'sssssssssppp');
  assert.equal(await answered('clc', 0, 900), 'ssspppsss');
  assert.equal(await answered('ccc', 100, 900), 'ppssssss');
  assert.equal(await answered('ccc', 0, 700), 'ssssssp');
});

test('of many buckets with late spans only the newest are counted from spans', async () => {
  const { cover } = await coverOf('l'.repeat(40), 0, 40 * BUCKET);
  const first = cover.indexOf('p');
  assert.equal(first, (40 - 24) * BUCKET);
});
