// Lets other requests run during long work on the one thread that all of them share.

import { setImmediate } from 'node:timers/promises';

/** A slice of work; far below the 50 ms that nobody may be kept waiting (design §4, P8). */
const SLICE_MS = 8;
/** Looking at the clock costs as much as some of the steps, so not before each one. */
const STEPS_PER_LOOK = 32;

/** Call `step` often, and await what it returns, if anything. */
export class Breath {
  #since = performance.now();
  #steps = 0;

  /** After one step of work, or as many as take some microseconds each. */
  step(count = 1): Promise<void> | undefined {
    this.#steps += count;
    if (this.#steps < STEPS_PER_LOOK) return undefined;
    this.#steps = 0;
    if (performance.now() - this.#since < SLICE_MS) return undefined;
    return this.#pause();
  }

  async #pause(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }
}
