// A seeded source of chance: the same seed gives the same shop, trace by trace.

/** sfc32 by Chris Doty-Humphrey (public domain): small, quick, and good enough for traffic. */
export class Random {
  #a = 0x9e3779b9;
  #b = 0x243f6a88;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#c = seed >>> 0;
    for (let i = 0; i < 12; i++) this.uint32();
  }

  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** At least 0, below 1. */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A whole number of at least 0, below `bound`. */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError('Expected at least one value to pick from.');
    return value;
  }

  /** Lower-case hex of so many random bytes, never all zero: fit for trace and span ids. */
  hex(bytes: number): string {
    let text = '';
    while (text.length < bytes * 2) text += this.uint32().toString(16).padStart(8, '0');
    text = text.slice(0, bytes * 2);
    return /^0+$/.test(text) ? this.hex(bytes) : text;
  }

  /** Latencies are log-normal: mostly near the median, with a long tail to the right. */
  logNormal(median: number, sigma: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.fraction()));
    const normal = radius * Math.cos(2 * Math.PI * this.fraction());
    return median * Math.exp(sigma * normal);
  }
}
