// The critical path of one trace: which span each nanosecond of its wall time was spent in.
// docs/ANALYSIS.md defines it, with an example.
//
// Walked from the end of the trace to its start. The walk stands in a span, at a time; every step
// either goes down into a child or back in time:
//   1. A child that ended at this very time: the span waited for it. Into it.
//   2. Else back to where the next child ended, or the span began. That stretch belongs to a child
//      that was running through its end, if there is one (the one that ended soonest): into it, for
//      that stretch only. Else to the span itself.
// So every nanosecond is counted once, and a span has never more of the path than it has self time.

import { sortRows } from './merge_sort.ts';
import { NONE, type Workspace } from './workspace.ts';

const SERVER = 2;
const CLIENT = 3;

/** Stands after the ends of all that was waited for. */
const NEVER = -Infinity;

/**
 * The steps of a walk grow with the spans, unless a trace was made to be slow (deep chains that are
 * entered again for each of a thousand neighbours). Past so many a span the walk goes no deeper
 * into children that were merely running; the sum is the same.
 */
const STEPS_PER_SPAN_MAX = 32;

/** Fills self and server, and puts children in order; needs the tree and aligned clocks. */
export function prepareWalk(work: Workspace): void {
  sortChildren(work);
  measureSelf(work);
  findServers(work);
  clear(work);
}

/** Fills onPath, the gaps, wall and unseen; to be prepared. */
export function walkPath(work: Workspace): void {
  const { count, childStart, children, start, end, isAsync } = work;
  let [from, to] = [Infinity, NEVER];
  for (let at = childStart[count]!; at < childStart[count + 1]!; at++) {
    const root = children[at]!;
    if (isAsync[root] === 1) continue;
    from = Math.min(from, start[root]!);
    to = Math.max(to, end[root]!);
  }
  if (to === NEVER) return;
  work.wall = to - from;
  walk(work, from, to);
}

/** Few children are sorted in place; most spans have none or one. */
const FEW = 16;

/** Those that nobody waited for first, then by end; of equal ends the one that ran longest is last. */
function sortChildren(work: Workspace): void {
  const { count, childStart, children, scratch, start, end, isAsync } = work;
  const endOf = (row: number): number => (isAsync[row] === 1 ? NEVER : end[row]!);
  const compare = (a: number, b: number): number => {
    const [endA, endB] = [endOf(a), endOf(b)];
    if (endA !== endB) return endA < endB ? -1 : 1;
    return start[b]! - start[a]! || b - a;
  };
  for (let row = 0; row <= count; row++) {
    const [first, last] = [childStart[row]!, childStart[row + 1]!];
    if (last - first < 2) continue;
    if (last - first > FEW) {
      sortRows(children.subarray(first, last), last - first, scratch.a, compare);
      continue;
    }
    for (let i = first + 1; i < last; i++) {
      const child = children[i]!;
      let at = i;
      for (; at > first && compare(children[at - 1]!, child) > 0; at--) {
        children[at] = children[at - 1]!;
      }
      children[at] = child;
    }
  }
}

/** Goes over the children from the last end: what is covered is then known by its lowest time. */
function measureSelf({ count, childStart, children, isAsync, start, end, self }: Workspace): void {
  for (let row = 0; row < count; row++) {
    const from = start[row]!;
    let low = end[row]!;
    let own = low - from;
    for (let at = childStart[row + 1]! - 1; at >= childStart[row]!; at--) {
      const child = children[at]!;
      if (isAsync[child] === 1) break;
      const to = Math.min(low, end[child]!);
      const since = Math.max(from, start[child]!);
      if (since >= to) continue;
      own -= to - since;
      low = since;
    }
    self[row] = own;
  }
}

/** The server span of each client span: the one that answered last. */
function findServers({ count, kind, childStart, children, isAsync, server }: Workspace): void {
  for (let row = 0; row < count; row++) {
    server[row] = NONE;
    if (kind[row] !== CLIENT) continue;
    for (let at = childStart[row + 1]! - 1; at >= childStart[row]!; at--) {
      const child = children[at]!;
      if (kind[child] !== SERVER || isAsync[child] === 1) continue;
      server[row] = child;
      break;
    }
  }
}

function clear(work: Workspace): void {
  const { count, childStart, children, isAsync, first, next } = work;
  work.onPath.fill(0, 0, count);
  work.requestGap.fill(0, 0, count);
  work.responseGap.fill(0, 0, count);
  work.head.fill(NONE, 0, count + 1);
  for (let row = 0; row <= count; row++) {
    const end = childStart[row + 1]!;
    let at = childStart[row]!;
    while (at < end && isAsync[children[at]!] === 1) at++;
    first[row] = at;
    next[row] = end;
  }
}

/** Row `count` holds the roots; its own time is that in which none ran. */
function walk(work: Workspace, from: number, to: number): void {
  const { count, children, start, end, frames, frameLows, running, head, first, next } = work;
  const stepsMax = (count + 1) * STEPS_PER_SPAN_MAX;
  let time = to;
  let depth = 0;
  frames[0] = count;
  frameLows[0] = from;
  while (depth >= 0) {
    const row = frames[depth]!;
    const low = frameLows[depth]!;
    if (time <= low) {
      depth--;
      continue;
    }
    work.steps++;
    // Children that end later than now are running, or began later than now, too: those go for good.
    while (next[row]! > first[row]! && end[children[next[row]! - 1]!]! > time) {
      const child = children[--next[row]!]!;
      running[child] = head[row]!;
      head[row] = child;
    }
    while (head[row] !== NONE && start[head[row]!]! >= time) head[row] = running[head[row]!]!;
    const ended = next[row]! > first[row]! ? children[next[row]! - 1]! : NONE;
    const endedAt = ended === NONE ? NEVER : end[ended]!;
    let [into, until] = [ended, low];
    if (endedAt === time) {
      until = Math.max(low, start[ended]!);
      // Others stay: where `low` cuts them short, the walk comes back to them, as running.
      if (until === time) next[row]!--;
    } else {
      into = head[row]!;
      until = Math.max(low, endedAt, into === NONE ? NEVER : start[into]!);
    }
    if (into === NONE || (endedAt !== time && work.steps > stepsMax)) {
      spend(work, into === NONE ? row : into, until, time);
      time = until;
    } else if (until < time) {
      frames[++depth] = into;
      frameLows[depth] = until;
    }
  }
}

/** The path is in this span, and in none of its children, for [from, to]. */
function spend(work: Workspace, row: number, from: number, to: number): void {
  if (row === work.count) {
    work.unseen += to - from;
    return;
  }
  const server = work.server[row]!;
  if (server === NONE) work.onPath[row]! += to - from;
  else if (from >= work.end[server]!) work.responseGap[row]! += to - from;
  else work.requestGap[row]! += to - from;
}
