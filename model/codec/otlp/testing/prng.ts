// Seeded random numbers (mulberry32), so that a failing run can be run again.

export interface Random {
  /** A whole number from 0 to below `end`; 0 where `end` is 0. */
  below(end: number): number;
  /** True once in `times` on average. */
  oneIn(times: number): boolean;
  pick<T>(items: readonly T[]): T | undefined;
}

/** The same seed (32 bits count) gives the same sequence. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const below = (end: number) => Math.floor(next() * end);
  return {
    below,
    oneIn: (times) => below(times) === 0,
    pick: (items) => items[below(items.length)],
  };
}
