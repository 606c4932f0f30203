// Sums of whole nanoseconds that stay exact: 20,000 traces of a day each are beyond what a double
// holds, and a BigInt for each addition would be most of the work.

/** Doubles hold every whole number up to here. Each addend is at most half of it (skew.ts). */
const EXACT_MAX = 2 ** 53;

export class ExactSum {
  #high = 0n;
  #low = 0;

  /** A whole number from 0 to 2^52. */
  add(nanos: number): void {
    if (this.#low + nanos > EXACT_MAX) {
      this.#high += BigInt(this.#low);
      this.#low = 0;
    }
    this.#low += nanos;
  }

  get nanos(): bigint {
    return this.#high + BigInt(this.#low);
  }
}
