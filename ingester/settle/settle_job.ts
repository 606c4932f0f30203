// Settles buckets whose time is over: calls between services, and calls, errors and durations by
// minute, counted once from rows that may be there twice. Any number may run; one does the work.

import type { Clock } from '../../service/clock.ts';
import type { Log } from '../../service/log.ts';
import {
  BUCKET_SECONDS,
  type Due,
  type DueBucket,
} from '../../storage/clickhouse/settled/buckets.ts';
import type { SettleOptions } from '../../storage/clickhouse/settled/settle_store.ts';
import type { SettleLedger } from './settle_ledger.ts';

/** The part of SettleStore that the job needs. */
export interface SettleWork {
  nowUnixMs(): Promise<number>;
  claim(owner: string, sinceUnixMs: number, leaseMs: number): Promise<boolean>;
  due(nowUnixMs: number, delayMs: number, limit: number): Promise<Due>;
  settle(due: DueBucket, options: SettleOptions): Promise<unknown>;
}

export interface SettleJobOptions {
  readonly work: SettleWork;
  /** Unlike that of any other process. */
  readonly owner: string;
  /** How long after its end a bucket is settled. */
  readonly delayMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: SettleLedger;
  readonly marginMs?: number;
}

/** How often is looked for what is due: little beside the five minutes of a bucket. */
const PAUSE_MS = 15_000;
/** One that has not been seen for four rounds is gone. */
const LEASE_MS = 60_000;
/** The longest insert (60 s, after which it is sent again) and what clocks and commits may add. */
const MARGIN_MS = 90_000;
/** Few, so that the lease is renewed in time and newer buckets go before old ones. */
const BUCKETS_PER_ROUND = 4;
/** A bucket that could not be settled is left alone for so long, and does not hold up the others. */
const FAILED_PAUSE_MS = 600_000;

export class SettleJob {
  readonly #options: SettleJobOptions;
  readonly #stop = new AbortController();
  #since: number | undefined;
  #running: Promise<void> | undefined;
  /** Buckets that failed, and until when (of the monotonic clock) they are left alone. */
  readonly #resting = new Map<string, number>();
  /** Told once, until it goes well again. */
  #troubled = false;

  constructor(options: SettleJobOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** What is under way is given up: nobody has seen it, and it is done anew later. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const more = await this.round().catch((error: unknown) => {
        this.#trouble(error);
        return false;
      });
      if (!more) await clock.sleep(PAUSE_MS, signal);
    }
  }

  /** One look at what is due, and the work on it; true when more of it waits. Throws StoreError. */
  async round(): Promise<boolean> {
    const { work, owner, delayMs, clock, ledger } = this.#options;
    const { signal } = this.#stop;
    this.#since ??= await work.nowUnixMs();
    const leads = await work.claim(owner, this.#since, LEASE_MS);
    ledger.leading(leads);
    if (!leads) {
      ledger.due(0, 0);
      return false;
    }
    const nowUnixMs = await work.nowUnixMs();
    for (const [key, untilMs] of this.#resting) {
      if (untilMs <= clock.monotonicMs()) this.#resting.delete(key);
    }
    const due = await work.due(nowUnixMs, delayMs, BUCKETS_PER_ROUND + this.#resting.size);
    ledger.due(due.left, lagOf(due, nowUnixMs));
    const now = due.buckets.filter((bucket) => !this.#resting.has(keyOf(bucket)));
    let done = 0;
    for (const bucket of now.slice(0, BUCKETS_PER_ROUND)) {
      if (signal.aborted) return false;
      if (await this.#settle(bucket)) done++;
    }
    ledger.due(due.left - done, lagOf(due, nowUnixMs));
    if (this.#resting.size === 0) this.#troubled = false;
    return done > 0 && due.left - done > this.#resting.size;
  }

  async #settle(bucket: DueBucket): Promise<boolean> {
    const { work, clock, ledger, marginMs = MARGIN_MS } = this.#options;
    const { signal } = this.#stop;
    const startMs = clock.monotonicMs();
    try {
      // A time of its own: what came while the ones before it were settled is seen, too.
      await work.settle(bucket, { nowUnixMs: await work.nowUnixMs(), marginMs, signal });
      ledger.settled(bucket.again, (clock.monotonicMs() - startMs) / 1000);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      ledger.failed();
      this.#resting.set(keyOf(bucket), clock.monotonicMs() + FAILED_PAUSE_MS);
      this.#trouble(error);
      return false;
    }
  }

  #trouble(error: unknown): void {
    if (this.#stop.signal.aborted || this.#troubled) return;
    this.#troubled = true;
    this.#options.log.warn('spans cannot be settled now; it is tried again', { error });
  }
}

function keyOf({ tenant, bucket }: DueBucket): string {
  return `${bucket} ${tenant}`;
}

/** Seconds since the end of the oldest bucket that is due. */
function lagOf({ oldestBucket }: Due, nowUnixMs: number): number {
  if (oldestBucket === undefined) return 0;
  return Math.max(0, nowUnixMs / 1000 - oldestBucket - BUCKET_SECONDS);
}
