// For tests and benchmarks: the analysis of a trace as one would write it first, with objects, maps,
// BigInts and recursion, straight from docs/ANALYSIS.md. What the columns must agree with, and what
// they are measured beside.

import type { LooseSpan } from './random_traces.ts';

const [SERVER, CLIENT, PRODUCER, CONSUMER] = [2, 3, 4, 5];

export interface NaiveSpan {
  readonly span: LooseSpan;
  start: bigint;
  end: bigint;
  shift: bigint;
  parent: NaiveSpan | undefined;
  readonly children: NaiveSpan[];
  isAsync: boolean;
  onPath: bigint;
  requestGap: bigint;
  responseGap: bigint;
  self: bigint;
}

export interface NaiveTrace {
  /** By start, span id and kind. */
  readonly spans: readonly NaiveSpan[];
  wall: bigint;
  unseen: bigint;
}

/** Spans that came twice are dropped. */
export function analyzeNaively(loose: readonly LooseSpan[]): NaiveTrace {
  const spans = distinct(loose);
  const trace: NaiveTrace = { spans, wall: 0n, unseen: 0n };
  connect(spans);
  const roots = spans.filter((span) => span.parent === undefined);
  for (const root of roots) settle(root);
  for (const span of spans) span.self = selfOf(span);
  const waited = waitedRoots(roots);
  const from = best(waited, (a, b) => Number(b.start - a.start))!.start;
  const to = best(waited, (a, b) => Number(a.end - b.end))!.end;
  trace.wall = to - from;
  walk(waited, from, to, (since, until) => {
    trace.unseen += until - since;
  });
  return trace;
}

function distinct(loose: readonly LooseSpan[]): NaiveSpan[] {
  const known = new Map(loose.map((span) => [`${span.spanId} ${span.kind} ${span.h}`, span]));
  return [...known.values()]
    .sort(
      (a, b) => Number(a.start - b.start || a.spanId - b.spanId) || a.kind - b.kind || a.h - b.h,
    )
    .map((span) => ({
      span,
      start: span.start,
      end: span.start + (span.duration < 0n ? 0n : span.duration),
      shift: 0n,
      parent: undefined,
      children: [],
      isAsync: false,
      onPath: 0n,
      requestGap: 0n,
      responseGap: 0n,
      self: 0n,
    }));
}

function connect(spans: readonly NaiveSpan[]): void {
  const byId = new Map<bigint, NaiveSpan[]>();
  for (const one of spans) {
    const twins = byId.get(one.span.spanId);
    if (twins === undefined) byId.set(one.span.spanId, [one]);
    else twins.push(one);
  }
  for (const one of spans) {
    const client = byId.get(one.span.spanId)!.find((twin) => twin.span.kind === CLIENT);
    const above = one.span.parentId === 0n ? undefined : byId.get(one.span.parentId);
    const server = above?.find((twin) => twin.span.kind === SERVER);
    one.parent = one.span.kind === SERVER && client !== undefined ? client : (server ?? above?.[0]);
  }
  for (const one of spans) {
    const seen = [one];
    for (let on = one.parent; on !== undefined && !seen.includes(on); on = on.parent) seen.push(on);
    // Back at itself: the first one of the cycle is met first, as spans are in order.
    if (seen.at(-1)!.parent === one) one.parent = undefined;
  }
  for (const one of spans) one.parent?.children.push(one);
}

/** Times by the parent's clock, and whether it was waited for; then the same below. */
function settle(one: NaiveSpan): void {
  const { parent, span } = one;
  if (parent !== undefined) {
    one.shift = parent.shift;
    if (parent.span.kind === CLIENT && span.kind === SERVER) one.shift = shiftOf(one, parent);
    one.start += one.shift;
    one.end += one.shift;
    const isElsewhere = parent.span.service !== span.service;
    const isSent = parent.span.kind === PRODUCER;
    one.isAsync = (span.kind === CONSUMER && (isSent || isElsewhere)) || (isSent && isElsewhere);
  }
  for (const child of one.children) settle(child);
}

function shiftOf(server: NaiveSpan, client: NaiveSpan): bigint {
  const spare = client.end - client.start - (server.end - server.start);
  const fits = (by: bigint): boolean =>
    server.start + by >= client.start &&
    (spare < 0n ? server.start : server.end) + by <= client.end;
  if (fits(0n)) return 0n;
  if (fits(client.shift)) return client.shift;
  return client.start - server.start + (spare < 0n ? 0n : spare / 2n);
}

/** Time in which no child ran: every boundary between children is looked at. */
function selfOf({ start, end, children }: NaiveSpan): bigint {
  const waited = children.filter((child) => !child.isAsync);
  const times = [start, end, ...waited.flatMap((child) => [child.start, child.end])]
    .filter((time) => time >= start && time <= end)
    .sort((a, b) => Number(a - b));
  let self = 0n;
  for (let i = 1; i < times.length; i++) {
    const [from, to] = [times[i - 1]!, times[i]!];
    if (!waited.some((child) => child.start <= from && child.end >= to)) self += to - from;
  }
  return self;
}

function waitedRoots(roots: readonly NaiveSpan[]): NaiveSpan[] {
  const others = roots.filter(({ span }) => span.kind !== CONSUMER);
  const real = others.filter(({ span }) => span.parentId === 0n);
  return real.length > 0 ? real : others.length > 0 ? others : [...roots];
}

/** The path through [from, to] of what has these children; `spend` takes what is in none of them. */
function walk(
  children: readonly NaiveSpan[],
  from: bigint,
  to: bigint,
  spend: (from: bigint, to: bigint) => void,
): void {
  const left = new Set(children.filter((child) => !child.isAsync));
  let time = to;
  while (time > from) {
    const ended = best(
      [...left].filter((child) => child.end <= time),
      (a, b) => (a.end === b.end ? Number(b.start - a.start) : Number(a.end - b.end)),
    );
    let until = from;
    let into = ended;
    if (ended?.end === time) {
      left.delete(ended);
      if (ended.start >= time) continue;
      if (ended.start > until) until = ended.start;
    } else {
      if (ended !== undefined && ended.end > until) until = ended.end;
      const now = time;
      into = best(
        [...left].reverse().filter((child) => child.start < now && child.end > now),
        (a, b) => (a.end === b.end ? Number(a.start - b.start) : Number(b.end - a.end)),
      );
      if (into !== undefined && into.start > until) until = into.start;
    }
    if (into === undefined) spend(until, time);
    else descend(into, until, time);
    time = until;
  }
}

function descend(into: NaiveSpan, from: bigint, to: bigint): void {
  const servers = into.children.filter((child) => child.span.kind === SERVER && !child.isAsync);
  const last = best(servers, (a, b) => Number(a.end - b.end));
  walk(into.children, from, to, (since, until) => {
    if (into.span.kind !== CLIENT || last === undefined) into.onPath += until - since;
    else if (since >= last.end) into.responseGap += until - since;
    else into.requestGap += until - since;
  });
}

/** The greatest by the rule; of equal ones the first. */
function best<T>(list: readonly T[], compare: (a: T, b: T) => number): T | undefined {
  return list.reduce<T | undefined>(
    (known, one) => (known === undefined || compare(one, known) > 0 ? one : known),
    undefined,
  );
}
