// Which part of a window is answered from settled numbers and which from spans: every moment of it
// once, and by spans wherever settled numbers do not hold them all.

import type { Select } from '../storage/clickhouse/select.ts';
import {
  BUCKET_NANOS,
  BUCKET_SECONDS,
  type BucketState,
  bucketStatesStatement,
  readBucketStates,
} from '../storage/clickhouse/settled/buckets.ts';
import type { SettledWindow } from '../storage/clickhouse/settled/edge_statements.ts';
import type { SpanWindow } from '../storage/clickhouse/settled/window.ts';

export interface WindowPlan {
  /** undefined where nothing of the window is settled. */
  readonly settled: SettledWindow | undefined;
  /** Stretches of time to count from spans; they do not overlap. */
  readonly fromSpans: readonly SpanWindow[];
}

/**
 * Late spans are counted from spans until their bucket is settled again, in so many buckets, the
 * newest ones: two hours. Where more have some, the older ones show them when they are settled.
 */
const LATE_BUCKETS_MAX = 24;
/** Each is a statement; where there are more, what is settled between two is read from spans, too. */
const STRETCHES_MAX = 16;
/** ClickHouse's DateTime ends here, in 2106. */
const BUCKET_MAX = Math.floor(0xffff_ffff / BUCKET_SECONDS) * BUCKET_SECONDS;

/** Both ends inclusive. Throws SelectError. */
export async function planWindow(
  select: Select,
  window: SpanWindow,
  signal?: AbortSignal,
): Promise<WindowPlan> {
  const { tenant } = window;
  const from = window.fromUnixNanos < 0n ? 0n : window.fromUnixNanos;
  const to = window.toUnixNanos;
  if (to < from) return { settled: undefined, fromSpans: [] };
  const [first, last] = [bucketOf(from), bucketOf(to)];
  const blocks = await select(bucketStatesStatement(tenant, first, last), signal);
  const stretches = stretchesOf(readBucketStates(blocks), from, to);
  // Whole buckets only: the cut ones at the ends are counted from spans.
  const isCutAtEnd = BigInt(last + BUCKET_SECONDS) * SECOND_NANOS - 1n > to;
  const firstBucket = BigInt(first) * SECOND_NANOS < from ? first + BUCKET_SECONDS : first;
  const lastBucket = isCutAtEnd ? last - BUCKET_SECONDS : last;
  return {
    settled:
      firstBucket > lastBucket ? undefined : { tenant, firstBucket, lastBucket, except: stretches },
    fromSpans: stretches.map((stretch) => cut(stretch, tenant, from, to)),
  };
}

interface Stretch {
  readonly firstBucket: number;
  readonly lastBucket: number;
}

const SECOND_NANOS = 1_000_000_000n;

function bucketOf(nanos: bigint): number {
  return Math.min(Number(nanos / BUCKET_NANOS) * BUCKET_SECONDS, BUCKET_MAX);
}

/** Runs of buckets that are not answered from settled numbers, ascending. */
function stretchesOf(states: readonly BucketState[], from: bigint, to: bigint): Stretch[] {
  let late = states.filter(({ settled, clean }) => settled && !clean).length;
  const stretches: Stretch[] = [];
  let open: { firstBucket: number; lastBucket: number } | undefined;
  for (const { bucket, settled, clean } of states) {
    const isWhole =
      BigInt(bucket) * SECOND_NANOS >= from &&
      BigInt(bucket + BUCKET_SECONDS) * SECOND_NANOS - 1n <= to;
    const isLate = settled && !clean;
    const isSettled = isWhole && settled && (clean || late > LATE_BUCKETS_MAX);
    if (isLate) late--;
    if (isSettled) open = undefined;
    else if (open !== undefined) open.lastBucket = bucket;
    else {
      open = { firstBucket: bucket, lastBucket: bucket };
      stretches.push(open);
    }
  }
  return joined(stretches);
}

/** At most STRETCHES_MAX of them, joined where they are nearest. */
function joined(stretches: readonly Stretch[]): Stretch[] {
  const all = [...stretches];
  while (all.length > STRETCHES_MAX) {
    let nearest = 1;
    const gap = (i: number): number => all[i]!.firstBucket - all[i - 1]!.lastBucket;
    for (let i = 2; i < all.length; i++) if (gap(i) < gap(nearest)) nearest = i;
    const { firstBucket } = all[nearest - 1]!;
    all.splice(nearest - 1, 2, { firstBucket, lastBucket: all[nearest]!.lastBucket });
  }
  return all;
}

function cut({ firstBucket, lastBucket }: Stretch, tenant: string, from: bigint, to: bigint) {
  const start = BigInt(firstBucket) * SECOND_NANOS;
  const end = BigInt(lastBucket + BUCKET_SECONDS) * SECOND_NANOS - 1n;
  return {
    tenant,
    fromUnixNanos: start < from ? from : start,
    toUnixNanos: end > to ? to : end,
  };
}
