// The window of a search, cut into slices from the end that its order begins with. A slice is short
// where spans are dense and long where they are not: each one is measured by what the last one gave.

import type { FindQuery } from './find.ts';

/** Both ends inclusive, in Unix nanoseconds. */
export interface Slice {
  readonly fromUnixNanos: bigint;
  readonly toUnixNanos: bigint;
}

const MINUTE_NANOS = 60n * 1_000_000_000n;
/** The narrow table reads fifteen minutes of a busy service in some milliseconds. */
export const NARROW_SLICE_NANOS = 15n * MINUTE_NANOS;
/** At 1,667 spans/s a tag's first slice of 15 minutes costs 254 ms of CPU, of one minute 79. */
export const WIDE_SLICE_NANOS = MINUTE_NANOS;

/** At least twice as long, so that a window of any length ends soon. */
const GROWTH_MIN = 2;
/** A statement costs 10 ms whatever it finds: where nothing was, a long step costs the least. */
const GROWTH_MAX = 64;
/** What the search then finds in the day before is read once, and skipped by the index if rare. */
const AFTER_NOTHING_NANOS = 60n * MINUTE_NANOS;

export class Slices {
  readonly #query: FindQuery;
  #from: bigint;
  #to: bigint;
  #length: bigint;

  /** The longest spans can be anywhere: then the window is one slice. */
  constructor(query: FindQuery, firstNanos: bigint) {
    this.#query = query;
    this.#from = query.startUnixNanos;
    this.#to = query.endUnixNanos;
    this.#length = query.order === 'slowest' ? this.#to - this.#from + 1n : firstNanos;
  }

  /** The next slice; undefined when the window has been walked. */
  next(): Slice | undefined {
    const [from, to] = [this.#from, this.#to];
    if (from > to) return undefined;
    const cut = to - from < this.#length ? to - from + 1n : this.#length;
    if (this.#query.order === 'oldest') {
      this.#from += cut;
      return { fromUnixNanos: from, toUnixNanos: from + cut - 1n };
    }
    this.#to -= cut;
    return { fromUnixNanos: to - cut + 1n, toUnixNanos: to };
  }

  /** `added` traces were new in the last slice, and `missing` are wanted still. */
  grow(added: number, missing: number): void {
    if (added === 0) {
      this.#length *= BigInt(GROWTH_MAX);
      if (this.#length < AFTER_NOTHING_NANOS) this.#length = AFTER_NOTHING_NANOS;
      return;
    }
    // Twice what is needed if spans stay as dense as they were.
    const growth = Math.ceil((2 * missing) / added);
    this.#length *= BigInt(Math.min(Math.max(growth, GROWTH_MIN), GROWTH_MAX));
  }
}
