// Puts rows that come in any order, some of them twice, into the order of Skeletons.

import { halves } from './id_hash.ts';
import { sortRows } from './merge_sort.ts';
import type { SkeletonRows, Skeletons, Texts } from './skeletons.ts';
import { type TraceIds, TraceIndex } from './trace_index.ts';

/** Rows of the traces that were asked for, as they come. */
export interface LooseRows extends SkeletonRows, TraceIds {}

/** So many rows are moved in a millisecond or two; then the caller may let others run. */
const ROWS_PER_STEP = 16_384;

/** Add all rows, then `finish` once. */
export class Gatherer {
  readonly #ids: TraceIds;
  readonly #texts: Texts;
  readonly #index: TraceIndex;
  readonly #counts: Uint32Array;
  readonly #parts: { readonly rows: LooseRows; readonly traces: Uint32Array }[] = [];

  /** Traces stay in the order of `ids`; one of which no row comes has none in the end. */
  constructor(ids: TraceIds, texts: Texts) {
    this.#ids = ids;
    this.#texts = texts;
    this.#index = new TraceIndex(ids);
    this.#counts = new Uint32Array(ids.traceHigh.length);
  }

  /** Throws where a row is of another trace. Keeps the columns: do not change them afterwards. */
  add(rows: LooseRows): void {
    const traces = this.#index.ofRows(rows);
    for (const trace of traces) this.#counts[trace]!++;
    this.#parts.push({ rows, traces });
  }

  /** Pauses every few thousand rows, so that a caller can let others run. */
  *finish(): Generator<void, Skeletons> {
    const next = new Uint32Array(this.#counts.length);
    const ends = new Uint32Array(this.#counts.length);
    let total = 0;
    for (const [trace, count] of this.#counts.entries()) {
      next[trace] = total;
      total += count;
      ends[trace] = total;
    }
    const rows = emptyRows(total);
    for (let part = this.#parts.shift(); part !== undefined; part = this.#parts.shift()) {
      scatter(part.rows, part.traces, next, rows);
      yield;
    }
    const kept = yield* sortTraces(rows, ends);
    const { traceHigh, traceLow } = this.#ids;
    return { traceHigh, traceLow, ends, rows: firstRows(rows, kept), texts: this.#texts };
  }
}

function emptyRows(count: number): SkeletonRows {
  return {
    spanId: new BigUint64Array(count),
    parentId: new BigUint64Array(count),
    h: new Uint32Array(count),
    startUnixNanos: new BigInt64Array(count),
    durationNanos: new BigInt64Array(count),
    service: new Uint32Array(count),
    name: new Uint32Array(count),
    kind: new Uint8Array(count),
    status: new Uint8Array(count),
  };
}

function firstRows(rows: SkeletonRows, count: number): SkeletonRows {
  return {
    spanId: rows.spanId.subarray(0, count),
    parentId: rows.parentId.subarray(0, count),
    h: rows.h.subarray(0, count),
    startUnixNanos: rows.startUnixNanos.subarray(0, count),
    durationNanos: rows.durationNanos.subarray(0, count),
    service: rows.service.subarray(0, count),
    name: rows.name.subarray(0, count),
    kind: rows.kind.subarray(0, count),
    status: rows.status.subarray(0, count),
  };
}

const NARROW = ['h', 'service', 'name', 'kind', 'status'] as const;
const WIDE = ['spanId', 'parentId', 'startUnixNanos', 'durationNanos'] as const;
const COLUMNS = [...NARROW, ...WIDE] as const;

function scatter(
  from: SkeletonRows,
  traces: Uint32Array,
  next: Uint32Array,
  to: SkeletonRows,
): void {
  const places = new Uint32Array(traces.length);
  for (let i = 0; i < traces.length; i++) places[i] = next[traces[i]!]!++;
  for (const name of NARROW) {
    const [source, target] = [from[name], to[name]];
    for (let i = 0; i < places.length; i++) target[places[i]!] = source[i]!;
  }
  for (const name of WIDE) {
    const [source, target] = [halves(from[name]), halves(to[name])];
    for (let i = 0; i < places.length; i++) {
      target[2 * places[i]!] = source[2 * i]!;
      target[2 * places[i]! + 1] = source[2 * i + 1]!;
    }
  }
}

/** Sorts the rows of each trace, drops those that came twice, moves `ends`; returns what is left. */
function* sortTraces(rows: SkeletonRows, ends: Uint32Array): Generator<void, number> {
  const compare = comparing(rows);
  let [from, kept, sincePause] = [0, 0, 0];
  for (let trace = 0; trace < ends.length; trace++) {
    const end = ends[trace]!;
    kept = isSorted(from, end, compare)
      ? move(rows, from, end, kept)
      : sortDistinct(rows, from, end, kept, compare);
    ends[trace] = kept;
    sincePause += end - from;
    from = end;
    if (sincePause >= ROWS_PER_STEP) {
      sincePause = 0;
      yield;
    }
  }
  return kept;
}

type Compare = (a: number, b: number) => number;

/** By start, span id, kind and h; 0 for rows of one identity, as an equal h has an equal start. */
function comparing({ spanId, startUnixNanos, kind, h }: SkeletonRows): Compare {
  const [start, id] = [halves(startUnixNanos), halves(spanId)];
  return (a, b) => {
    // Times since 1970 are not negative, so their halves compare as the numbers do.
    const byStart = start[2 * a + 1]! - start[2 * b + 1]! || start[2 * a]! - start[2 * b]!;
    if (byStart !== 0) return byStart;
    const byId = id[2 * a + 1]! - id[2 * b + 1]! || id[2 * a]! - id[2 * b]!;
    return byId || kind[a]! - kind[b]! || h[a]! - h[b]!;
  };
}

/** In order, and nothing twice. */
function isSorted(from: number, end: number, compare: Compare): boolean {
  for (let row = from + 1; row < end; row++) if (compare(row - 1, row) >= 0) return false;
  return true;
}

/** Moves the rows [from, end) down to `to`; returns where they end now. */
function move(rows: SkeletonRows, from: number, end: number, to: number): number {
  if (from !== to) for (const column of COLUMNS) rows[column].copyWithin(to, from, end);
  return to + end - from;
}

/** As `move`, in order and without those that came twice. */
function sortDistinct(
  rows: SkeletonRows,
  from: number,
  end: number,
  to: number,
  compare: Compare,
): number {
  const sorted = Uint32Array.from({ length: end - from }, (_, i) => from + i);
  sortRows(sorted, sorted.length, new Uint32Array(sorted.length), compare);
  let count = 1;
  for (let i = 1; i < sorted.length; i++) {
    if (compare(sorted[count - 1]!, sorted[i]!) !== 0) sorted[count++] = sorted[i]!;
  }
  for (const column of NARROW) {
    const values = rows[column];
    const before = values.slice(from, end);
    for (let i = 0; i < count; i++) values[to + i] = before[sorted[i]! - from]!;
  }
  for (const column of WIDE) {
    const values = halves(rows[column]);
    const before = values.slice(2 * from, 2 * end);
    for (let i = 0; i < count; i++) {
      values[2 * (to + i)] = before[2 * (sorted[i]! - from)]!;
      values[2 * (to + i) + 1] = before[2 * (sorted[i]! - from) + 1]!;
    }
  }
  return to + count;
}
