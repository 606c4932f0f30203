// Orders the spans of a trace as a reader expects them: each root by its start, then its children
// below it, depth first. Nothing is left out. Works on a few columns, and asks for a span only when
// its turn comes: a trace of 100,000 spans as objects takes seven times the memory of its rows.

import { halves } from '../analysis/id_hash.ts';
import { sortRows } from '../analysis/merge_sort.ts';
import { linkSpans } from '../analysis/tree.ts';
import { NONE, TreeSpace } from '../analysis/workspace.ts';
import type { Attribute, Span } from '../span.ts';
import { hex16, separateSharedIds } from './shared_ids.ts';

/** What the order of a trace's spans depends on, row by row. */
export interface TraceColumns {
  readonly spanId: BigUint64Array;
  /** 0 for a root. */
  readonly parentId: BigUint64Array;
  readonly startUnixNanos: BigInt64Array;
  readonly kind: Uint8Array;
}

export interface AssembledSpan {
  readonly span: Span;
  /** Sentences for the reader of the trace, about this span. */
  readonly warnings: readonly string[];
}

/**
 * Orders spans, gives server spans an id of their own where they share that of their client (readers
 * know one span by one id), sorts attributes by key and events by time, and takes links to nothing
 * out. One at a time, so that a caller with a large trace can let others run in between; undefined
 * where nothing is to be shown yet, but some milliseconds have gone.
 */
export function* assemble(
  columns: TraceColumns,
  spanAt: (row: number) => Span,
): Generator<AssembledSpan | undefined, void> {
  const rows = byStart(columns);
  const isLarge = rows.length >= LARGE_TRACE_SPANS;
  if (isLarge) yield undefined;
  const sorted = {
    spanId: inOrder(columns.spanId, rows),
    parentId: inOrder(columns.parentId, rows),
  };
  const tree = new TreeSpace();
  tree.resetTree(rows.length);
  for (let i = 0; i < rows.length; i++) tree.kind[i] = columns.kind[rows[i]!]!;
  linkSpans(sorted, 0, tree);
  if (isLarge) yield undefined;
  const renamed = separateSharedIds(sorted.spanId, tree);
  for (const row of depthFirst(tree)) {
    const span = spanAt(rows[row]!);
    const spanId = renamed.get(row);
    const above = tree.parent[row]!;
    const parentSpanId =
      spanId === undefined ? above !== NONE && renamed.get(above) : hex16(sorted.spanId[row]!);
    const own = spanId === undefined ? span : { ...span, spanId };
    const placed = parentSpanId ? { ...own, parentSpanId } : own;
    yield tidy(placed, tree.isCycle[row] === 1);
  }
}

/** Putting so many in order takes a millisecond or two, 100,000 of them 20. */
const LARGE_TRACE_SPANS = 10_000;

/** Rows by start, then id, kind and place. */
function byStart({ spanId, startUnixNanos, kind }: TraceColumns): Uint32Array {
  const ids = halves(spanId);
  const since = sinceFirst(halves(startUnixNanos), kind.length);
  const rows = Uint32Array.from({ length: kind.length }, (_, row) => row);
  sortRows(rows, rows.length, new Uint32Array(rows.length), (a, b) => {
    const byTime = since[a]! - since[b]!;
    if (byTime !== 0) return byTime;
    const byId = ids[2 * a + 1]! - ids[2 * b + 1]! || ids[2 * a]! - ids[2 * b]!;
    return byId || kind[a]! - kind[b]! || a - b;
  });
  return rows;
}

/** Nanoseconds since the first row's start; to the nanosecond within a hundred days of it. */
function sinceFirst(starts: Uint32Array, count: number): Float64Array {
  const since = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    const high = starts[2 * row + 1]! - starts[1]!;
    since[row] = high * 2 ** 32 + (starts[2 * row]! - starts[0]!);
  }
  return since;
}

function inOrder(column: BigUint64Array, rows: Uint32Array): BigUint64Array {
  const sorted = new BigUint64Array(rows.length);
  const [from, to] = [halves(column), halves(sorted)];
  for (let i = 0; i < rows.length; i++) {
    to[2 * i] = from[2 * rows[i]!]!;
    to[2 * i + 1] = from[2 * rows[i]! + 1]!;
  }
  return sorted;
}

/** Iterative, because a chain may be as long as the trace. */
function* depthFirst({ count, childStart, children }: TreeSpace): Generator<number, void> {
  const stack = new Uint32Array(count + 1);
  let depth = 0;
  for (let row = count; ; row = stack[--depth]!) {
    if (row !== count) yield row;
    // Taken from the end of the stack, so the earliest child goes on last.
    for (let at = childStart[row + 1]! - 1; at >= childStart[row]!; at--) {
      stack[depth++] = children[at]!;
    }
    if (depth === 0) return;
  }
}

/** The columns of spans that are objects already. */
export function columnsOf(spans: readonly Span[]): TraceColumns {
  return {
    spanId: BigUint64Array.from(spans, (span) => BigInt(`0x${span.spanId}`)),
    parentId: BigUint64Array.from(spans, (span) => BigInt(`0x${span.parentSpanId || '0'}`)),
    startUnixNanos: BigInt64Array.from(spans, (span) => span.startUnixNanos),
    kind: Uint8Array.from(spans, (span) => span.kind),
  };
}

function tidy(span: Span, isCycle: boolean): AssembledSpan {
  const warnings: string[] = [];
  if (isCycle) warnings.push('The parents of this span form a cycle; it is shown as a root.');
  if (span.durationNanos < 0n) {
    warnings.push('This span ends before it starts; its duration is shown as 0.');
  }
  const links =
    span.links.length === 0
      ? span.links
      : span.links.filter((link) => !/^0*$/.test(link.traceId) && !/^0*$/.test(link.spanId));
  if (links.length < span.links.length) warnings.push('Invalid span link removed');
  if (span.droppedAttributesCount > 0)
    warnings.push(dropped(span.droppedAttributesCount, 'attribute'));
  if (span.droppedEventsCount > 0) warnings.push(dropped(span.droppedEventsCount, 'event'));
  if (span.droppedLinksCount > 0) warnings.push(dropped(span.droppedLinksCount, 'link'));
  const events =
    span.events.length < 2
      ? span.events
      : span.events.toSorted((a, b) => Number(a.timeUnixNanos - b.timeUnixNanos));
  return { span: { ...span, links, events, attributes: byKey(span.attributes) }, warnings };
}

function dropped(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? ' was' : 's were'} dropped before storing.`;
}

const FEW = 24;

function byKey(attributes: readonly Attribute[]): readonly Attribute[] {
  if (attributes.length > FEW) {
    return attributes.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }
  // By insertion, which calls nothing: spans have a dozen, which often are in order already.
  const sorted = attributes.slice();
  for (let i = 1; i < sorted.length; i++) {
    const one = sorted[i]!;
    let at = i;
    for (; at > 0 && sorted[at - 1]!.key > one.key; at--) sorted[at] = sorted[at - 1]!;
    sorted[at] = one;
  }
  return sorted;
}
