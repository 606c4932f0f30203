// Looks the number of a trace up by its id, without BigInts.

import { halves, hashAt } from './id_hash.ts';

export interface TraceIds {
  readonly traceHigh: BigUint64Array;
  readonly traceLow: BigUint64Array;
}

export class TraceIndex {
  readonly #highs: Uint32Array;
  readonly #lows: Uint32Array;
  /** Open addressing: the trace's number + 1, 0 where free. */
  readonly #slots: Uint32Array;

  /** Traces are numbered in the order of `ids`. Throws where an id is there twice. */
  constructor(ids: TraceIds) {
    this.#highs = halves(ids.traceHigh);
    this.#lows = halves(ids.traceLow);
    let size = 16;
    while (size < ids.traceHigh.length * 2) size *= 2;
    this.#slots = new Uint32Array(size);
    for (let trace = 0; trace < ids.traceHigh.length; trace++) {
      const slot = this.#slotOf(this.#highs, this.#lows, trace);
      if (this.#slots[slot] !== 0) throw new Error('Expected each trace id once.');
      this.#slots[slot] = trace + 1;
    }
  }

  /** The trace of each row. Throws where a row is of a trace that is not here. */
  ofRows(rows: TraceIds): Uint32Array {
    const [highs, lows] = [halves(rows.traceHigh), halves(rows.traceLow)];
    const traces = new Uint32Array(rows.traceHigh.length);
    let trace = -1;
    for (let row = 0; row < traces.length; row++) {
      // Rows of a trace mostly follow each other.
      if (trace === -1 || !this.#is(trace, highs, lows, row)) {
        trace = this.#slots[this.#slotOf(highs, lows, row)]! - 1;
        if (trace === -1) throw new Error('Expected rows of the traces that were asked for.');
      }
      traces[row] = trace;
    }
    return traces;
  }

  /** Where the id at `row` is, or would be put. */
  #slotOf(highs: Uint32Array, lows: Uint32Array, row: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashAt(lows, row, hashAt(highs, row)) & mask;
    for (;;) {
      const entry = this.#slots[slot]!;
      if (entry === 0 || this.#is(entry - 1, highs, lows, row)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #is(trace: number, highs: Uint32Array, lows: Uint32Array, row: number): boolean {
    return (
      this.#lows[2 * trace] === lows[2 * row] &&
      this.#lows[2 * trace + 1] === lows[2 * row + 1] &&
      this.#highs[2 * trace] === highs[2 * row] &&
      this.#highs[2 * trace + 1] === highs[2 * row + 1]
    );
  }
}
