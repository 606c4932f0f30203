// Numbers pairs of 32-bit numbers from 0 on, in order of first use.

import { hashPair } from './id_hash.ts';

/** Both numbers of the pair that stands for all that came too late. */
export const OTHERS = 0xffff_fffe;

export class PairIndex {
  /** Open addressing: number + 1, 0 where free. */
  #slots = new Uint32Array(64);
  #pairs = new Uint32Array(64);
  #count = 0;
  readonly #max: number;

  /** Past `max` pairs, further ones are OTHERS. */
  constructor(max = Infinity) {
    this.#max = max;
  }

  numberOf(a: number, b: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashPair(a, b) & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot]! - 1;
      if (number === -1) {
        const isRoom = this.#count < this.#max || a === OTHERS;
        return isRoom ? this.#add(a, b, slot) : this.numberOf(OTHERS, OTHERS);
      }
      if (this.#pairs[2 * number] === a && this.#pairs[2 * number + 1] === b) return number;
    }
  }

  /** The pair of a number. */
  at(number: number): readonly [a: number, b: number] {
    return [this.#pairs[2 * number]!, this.#pairs[2 * number + 1]!];
  }

  #add(a: number, b: number, slot: number): number {
    const number = this.#count++;
    this.#slots[slot] = number + 1;
    this.#pairs[2 * number] = a;
    this.#pairs[2 * number + 1] = b;
    if (this.#count * 2 >= this.#slots.length) this.#grow();
    return number;
  }

  #grow(): void {
    const pairs = new Uint32Array(this.#slots.length * 2);
    pairs.set(this.#pairs);
    this.#pairs = pairs;
    this.#slots = new Uint32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let number = 0; number < this.#count; number++) {
      let slot = hashPair(pairs[2 * number]!, pairs[2 * number + 1]!) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = number + 1;
    }
  }
}
