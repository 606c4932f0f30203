// Durations by slots of the settled numbers (storage/clickhouse/settled/red_statements.ts).

import { SLOTS_PER_OCTAVE } from '../storage/clickhouse/settled/red_statements.ts';

/** 63 doublings of a nanosecond is the longest duration; slot -1 stands before them. */
const SLOTS = 63 * SLOTS_PER_OCTAVE + 1;

export class SlotHistogram {
  readonly #counts = new Float64Array(SLOTS + 1);
  #count = 0;

  /** Takes away where `count` is negative. */
  add(slot: number, count: number): void {
    const at = Math.min(Math.max(slot + 1, 0), SLOTS);
    this.#counts[at] = this.#counts[at]! + count;
    this.#count += count;
  }

  /**
   * The middle of the slot that holds the nearest rank of quantile `q` (0 to 1): at most 2.2 % off
   * the duration of that rank. NaN where nothing was counted.
   */
  quantileNanos(q: number): number {
    if (this.#count <= 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(q * this.#count));
    let seen = 0;
    for (const [at, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= rank) return at === 0 ? 0 : 2 ** ((at - 1 + 0.5) / SLOTS_PER_OCTAVE);
    }
    return Number.NaN;
  }
}
