// Adds up what a group (a service, an operation, an edge, a gap) has of the path, over many traces.

import { ExactSum } from './exact_sum.ts';
import { PairIndex } from './pair_index.ts';

/** One group. What it is, its pair says: numbers of texts, or what its tally was given. */
export class Part {
  /** Time on the path. */
  readonly onPath = new ExactSum();
  /** Duration minus the union of children's intervals, on the path or not. */
  readonly self = new ExactSum();
  /** Of a gap: what of `onPath` was before the server, and after it. */
  readonly request = new ExactSum();
  readonly response = new ExactSum();
  spans = 0;
  /** Spans whose status is an error. */
  errors = 0;
  /** Traces that it is in at all, and those that it is on the path of. */
  traces = 0;
  tracesOnPath = 0;
  /** The trace with the most of it on its path; of equal ones the first. */
  largest: Example = NO_EXAMPLE;
  readonly sample = new Sample();
}

export interface Example {
  /** As the trace was numbered when it was added. */
  readonly trace: number;
  readonly nanos: number;
}

const NO_EXAMPLE: Example = { trace: -1, nanos: 0 };

/**
 * Senders who write ids into names make an operation a span. Nobody reads so many, and half a KB
 * each is held of them.
 */
const GROUPS_MAX = 20_000;

/** Groups of one kind. Add the spans of a trace, then call `endTrace`, before those of the next. */
export class Tally {
  readonly #index = new PairIndex(GROUPS_MAX);
  readonly #parts: Part[] = [];
  /** Of the trace under way, by group. */
  #nanos = new Float64Array(64);
  #isIn = new Uint8Array(64);
  readonly #touched: number[] = [];

  /** Adds to the group of this pair; the caller adds what only some groups have. */
  add(a: number, b: number, onPathNanos: number): Part {
    const number = this.#index.numberOf(a, b);
    if (number === this.#parts.length) {
      this.#parts.push(new Part());
      if (number === this.#isIn.length) this.#grow();
    }
    if (this.#isIn[number] === 0) {
      this.#isIn[number] = 1;
      this.#touched.push(number);
    }
    this.#nanos[number]! += onPathNanos;
    return this.#parts[number]!;
  }

  endTrace(trace: number): void {
    for (const number of this.#touched) {
      const part = this.#parts[number]!;
      const nanos = this.#nanos[number]!;
      this.#nanos[number] = 0;
      this.#isIn[number] = 0;
      part.traces++;
      if (nanos === 0) continue;
      part.tracesOnPath++;
      part.onPath.add(nanos);
      if (nanos > part.largest.nanos) part.largest = { trace, nanos };
      part.sample.add(trace, nanos);
    }
    this.#touched.length = 0;
  }

  *[Symbol.iterator](): Generator<{ readonly a: number; readonly b: number; readonly part: Part }> {
    for (const [number, part] of this.#parts.entries()) {
      const [a, b] = this.#index.at(number);
      yield { a, b, part };
    }
  }

  #grow(): void {
    const nanos = new Float64Array(this.#nanos.length * 2);
    nanos.set(this.#nanos);
    this.#nanos = nanos;
    const isIn = new Uint8Array(this.#isIn.length * 2);
    isIn.set(this.#isIn);
    this.#isIn = isIn;
  }
}

/** Enough to find a trace near the median: its rank is off by one in a hundred at most. */
const SAMPLE_MAX = 128;

/** Every nth value, n such that they are never more than SAMPLE_MAX: the same for the same input. */
class Sample {
  #kept: Example[] = [];
  #every = 1;
  #seen = 0;

  add(trace: number, nanos: number): void {
    if (this.#seen++ % this.#every !== 0) return;
    this.#kept.push({ trace, nanos });
    if (this.#kept.length < SAMPLE_MAX) return;
    this.#kept = this.#kept.filter((_, i) => i % 2 === 0);
    this.#every *= 2;
  }

  /** The middle one, the lower of two; undefined where nothing was added. */
  get median(): Example | undefined {
    const sorted = this.#kept.toSorted((a, b) => a.nanos - b.nanos || a.trace - b.trace);
    return sorted[Math.floor((sorted.length - 1) / 2)];
  }
}
