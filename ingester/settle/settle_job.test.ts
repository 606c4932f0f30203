import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../service/clock.ts';
import { type Log, silentLog } from '../../service/log.ts';
import type { DueBucket } from '../../storage/clickhouse/settled/buckets.ts';
import { SettleJob, type SettleWork } from './settle_job.ts';

const bucketOf = (bucket: number, tenant = 'acme'): DueBucket => ({
  tenant,
  bucket,
  spansAtUnixMs: 0,
  late: false,
  again: bucket % 2 === 1,
});

interface Rig {
  readonly job: SettleJob;
  readonly settled: number[];
  /** Buckets that are due, the newest first; what is settled is taken out. */
  readonly due: DueBucket[];
  readonly broken: Set<number>;
  readonly warnings: string[];
  readonly told: { buckets: number; oldestSeconds: number }[];
  readonly again: boolean[];
  failures: number;
  leads: boolean;
  nowMs: number;
  whileSettling: ((signal: AbortSignal | undefined) => Promise<void>) | undefined;
}

function rig(): Rig {
  const state: Omit<Rig, 'job'> = {
    settled: [],
    due: [],
    broken: new Set(),
    warnings: [],
    told: [],
    again: [],
    failures: 0,
    leads: true,
    nowMs: 10_000_000,
    whileSettling: undefined,
  };
  const work: SettleWork = {
    nowUnixMs: () => Promise.resolve(rigged.nowMs),
    claim: () => Promise.resolve(rigged.leads),
    due: (_now, _delay, limit) =>
      Promise.resolve({
        buckets: rigged.due.slice(0, limit),
        left: rigged.due.length,
        oldestBucket: rigged.due.at(-1)?.bucket,
      }),
    settle: async (bucket, { signal }) => {
      await rigged.whileSettling?.(signal);
      if (rigged.broken.has(bucket.bucket)) throw new Error('too much memory');
      rigged.settled.push(bucket.bucket);
      rigged.due.splice(rigged.due.indexOf(bucket), 1);
    },
  };
  const clock: Clock = {
    nowMs: () => rigged.nowMs,
    monotonicMs: () => rigged.nowMs,
    sleep: (_ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) resolve();
        else signal?.addEventListener('abort', () => resolve());
      }),
  };
  const log: Log = { ...silentLog, warn: (message) => void rigged.warnings.push(message) };
  const job = new SettleJob({
    work,
    owner: 'me',
    delayMs: 0,
    clock,
    log,
    ledger: {
      settled: (again) => void rigged.again.push(again),
      failed: () => void rigged.failures++,
      due: (buckets, oldestSeconds) => void rigged.told.push({ buckets, oldestSeconds }),
      leading: () => undefined,
    },
  });
  const rigged: Rig = Object.assign(state, { job });
  return rigged;
}

test('a few buckets are settled in a round, and it says that more wait', async () => {
  const rigged = rig();
  rigged.due.push(...[9000, 8700, 8401, 8100, 7800, 7500].map((bucket) => bucketOf(bucket)));
  assert.equal(await rigged.job.round(), true);
  assert.deepEqual(rigged.settled, [9000, 8700, 8401, 8100]);
  assert.deepEqual(rigged.again, [false, false, true, false]);
  // From the end of the bucket at 7500 to 10,000 s.
  assert.deepEqual(rigged.told.at(-1), { buckets: 2, oldestSeconds: 2200 });
  assert.equal(await rigged.job.round(), false);
  assert.equal(rigged.settled.length, 6);
  await rigged.job.round();
  assert.deepEqual(rigged.told.at(-1), { buckets: 0, oldestSeconds: 0 });
});

test('who does not have the turn settles nothing', async () => {
  const rigged = rig();
  rigged.leads = false;
  rigged.due.push(bucketOf(9000));
  assert.equal(await rigged.job.round(), false);
  assert.deepEqual(rigged.settled, []);
  rigged.leads = true;
  await rigged.job.round();
  assert.deepEqual(rigged.settled, [9000]);
});

test('buckets that cannot be settled rest a while and hold up no others', async () => {
  const rigged = rig();
  const newest = [9900, 9600, 9300, 9000];
  for (const bucket of newest) rigged.broken.add(bucket);
  rigged.due.push(...[...newest, 8700].map((bucket) => bucketOf(bucket)));
  assert.equal(await rigged.job.round(), false);
  assert.deepEqual(rigged.settled, []);
  await rigged.job.round();
  assert.deepEqual(rigged.settled, [8700]);
  assert.equal(rigged.failures, 4);
  assert.equal(rigged.warnings.length, 1);
  rigged.broken.clear();
  rigged.nowMs += 600_001;
  await rigged.job.round();
  assert.deepEqual(rigged.settled, [8700, ...newest]);
});

test('what is being settled is given up when the process ends', async () => {
  const rigged = rig();
  rigged.due.push(bucketOf(9000), bucketOf(8700));
  const begun = Promise.withResolvers<void>();
  rigged.whileSettling = (signal) => {
    begun.resolve();
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('given up')));
    });
  };
  rigged.job.start();
  await begun.promise;
  await rigged.job.stop();
  assert.deepEqual(rigged.settled, []);
  assert.equal(rigged.failures, 0);
  assert.deepEqual(rigged.warnings, []);
});

test('a store that cannot be reached is told once and tried again', async () => {
  const rigged = rig();
  rigged.whileSettling = () => Promise.reject(new Error('gone'));
  rigged.due.push(bucketOf(9000));
  await rigged.job.round();
  rigged.nowMs += 600_001;
  await rigged.job.round();
  assert.equal(rigged.warnings.length, 1);
  rigged.whileSettling = undefined;
  rigged.nowMs += 600_001;
  await rigged.job.round();
  assert.deepEqual(rigged.settled, [9000]);
});
