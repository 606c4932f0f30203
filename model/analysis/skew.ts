// Times of a trace as numbers, and as if all its hosts had one clock. A server span must lie within
// the client span that waited for it; where it does not, it is moved, and all that is below it.
// As Jaeger's adjuster: to the middle of the client span, or, where it is longer than that, to its
// start. Unlike it, a server that goes on after its client gave up is left where it is.

import { halves } from './id_hash.ts';
import type { SkeletonRows } from './skeletons.ts';
import { NONE, type Workspace } from './workspace.ts';

const SERVER = 2;
const CLIENT = 3;
const HIGH = 2 ** 32;

/** 26 days in nanoseconds: what is longer or further away is taken as this, so that sums stay exact. */
export const TIME_NANOS_MAX = 2 ** 51;

/** Fills start, end and shift; needs the tree. */
export function alignClocks(rows: SkeletonRows, from: number, work: Workspace): void {
  readTimes(rows, from, work);
  const { count, kind, parent, order, start, end, shift } = work;
  for (let i = 0; i < count; i++) {
    const row = order[i]!;
    const above = parent[row]!;
    let by = above === NONE ? 0 : shift[above]!;
    if (above !== NONE && kind[row] === SERVER && kind[above] === CLIENT) {
      const fit = shiftInto(start[above]!, end[above]!, start[row]!, end[row]!, by);
      if (fit !== 0 && fit !== by) work.skewed++;
      by = fit;
    }
    shift[row] = by;
    start[row]! += by;
    end[row]! += by;
  }
}

function readTimes(rows: SkeletonRows, from: number, { count, start, end }: Workspace): void {
  const [starts, durations] = [halves(rows.startUnixNanos), halves(rows.durationNanos)];
  const [baseLow, baseHigh] = [starts[2 * from]!, starts[2 * from + 1]!];
  for (let row = 0; row < count; row++) {
    const at = 2 * (from + row);
    const since = (starts[at + 1]! - baseHigh) * HIGH + (starts[at]! - baseLow);
    const high = durations[at + 1]!;
    // Ends before starts are sent, too: such a span takes no time.
    const duration = high >= 0x8000_0000 ? 0 : high * HIGH + durations[at]!;
    start[row] = Math.min(since, TIME_NANOS_MAX);
    end[row] = start[row]! + Math.min(duration, TIME_NANOS_MAX);
  }
}

/** What to add to [start, end] so that it lies in [from, to]; `inherited` where that will do. */
function shiftInto(
  from: number,
  to: number,
  start: number,
  end: number,
  inherited: number,
): number {
  const spare = to - from - (end - start);
  for (const by of [0, inherited]) {
    const isWithin = start + by >= from && (spare >= 0 ? end : start) + by <= to;
    if (isWithin) return by;
  }
  return from - start + (spare > 0 ? Math.floor(spare / 2) : 0);
}
