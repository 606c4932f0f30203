// Orders the spans of a trace as a reader expects them: each root by its start, then its children
// below it, depth first. Nothing is left out: spans whose parent is missing stand as roots, and so
// does the first span of a cycle. Iterative, because a chain may be a million spans deep.

import type { Attribute, Span } from '../span.ts';

export interface AssembledSpan {
  readonly span: Span;
  /** Sentences for the reader of the trace, about this span. */
  readonly warnings: readonly string[];
}

/**
 * Orders spans, sorts their attributes by key and their events by time, and takes links to nothing
 * out. One at a time, so that a caller with a large trace can let others run in between.
 */
export function* assemble(spans: readonly Span[]): Generator<AssembledSpan, void> {
  const { sorted, roots, children } = treeOf(spans);
  const shown = new Set<Span>();
  for (const root of roots) yield* below(root, false, children, shown);
  if (shown.size === spans.length) return;
  // What no root leads to hangs on a cycle of parents; its earliest span has to begin somewhere.
  for (const span of sorted) if (!shown.has(span)) yield* below(span, true, children, shown);
}

function* below(
  root: Span,
  isCycle: boolean,
  children: Tree['children'],
  shown: Set<Span>,
): Generator<AssembledSpan, void> {
  const stack = [root];
  for (let span = stack.pop(); span !== undefined; span = stack.pop()) {
    if (shown.has(span)) continue;
    shown.add(span);
    yield tidy(span, isCycle && span === root);
    // Taken from the end of the stack, so the earliest child goes on last.
    const own = children.get(span) ?? [];
    for (let i = own.length - 1; i >= 0; i--) stack.push(own[i]!);
  }
}

interface Tree {
  /** All spans by start. */
  readonly sorted: readonly Span[];
  readonly roots: readonly Span[];
  readonly children: ReadonlyMap<Span, readonly Span[]>;
}

function treeOf(spans: readonly Span[]): Tree {
  const sorted = byStart(spans);
  const byId = new Map<string, Span[]>();
  for (const span of sorted) append(byId, span.spanId, span);
  const roots: Span[] = [];
  const children = new Map<Span, Span[]>();
  for (const span of sorted) {
    const parent = parentOf(span, byId);
    if (parent === undefined) roots.push(span);
    else append(children, parent, span);
  }
  return { sorted, roots, children };
}

/** Kinds of OTLP: a server span that shares its id with the client span hangs below that one. */
const SERVER = 2;
const CLIENT = 3;

/**
 * Where client and server share one span id (Zipkin's way), children belong to the server's half,
 * and the server's half belongs to the client's.
 */
function parentOf(span: Span, byId: ReadonlyMap<string, readonly Span[]>): Span | undefined {
  const twins = byId.get(span.spanId)!;
  if (span.kind === SERVER && twins.length > 1) {
    const client = twins.find((twin) => twin.kind === CLIENT);
    if (client !== undefined) return client;
  }
  if (span.parentSpanId === '') return undefined;
  const parents = byId.get(span.parentSpanId);
  return parents?.find((parent) => parent.kind === SERVER) ?? parents?.[0];
}

function byStart(spans: readonly Span[]): Span[] {
  return spans.toSorted((a, b) => {
    if (a.startUnixNanos !== b.startUnixNanos) return a.startUnixNanos < b.startUnixNanos ? -1 : 1;
    return a.spanId < b.spanId ? -1 : a.spanId > b.spanId ? 1 : a.kind - b.kind;
  });
}

function append<K>(lists: Map<K, Span[]>, key: K, span: Span): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [span]);
  else list.push(span);
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
