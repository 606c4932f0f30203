// Bounds how many large answers are made at once; the others wait their turn for a while. The bytes
// that they hold have a bound of their own: answer_memory.ts.

import { RefusalError } from '../service/refusal.ts';

/** More at a time only slow each other down: the store runs a few statements at once. */
const INSIDE_MAX = 8;
/** More waiting than this will have been given up by their askers when their turn comes. */
const WAITING_MAX = 64;
const RETRY_AFTER_MS = 1000;

export class Gate {
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  /** Resolves when there is room; call the result once, when done. Throws RefusalError `busy`. */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (this.#inside < INSIDE_MAX) this.#inside++;
    else await this.#wait(signal);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#leave();
    };
  }

  async #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= WAITING_MAX) {
      throw new RefusalError({
        code: 'busy',
        message: `Already ${WAITING_MAX} searches are waiting: try again in a moment.`,
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    const turn = Promise.withResolvers<void>();
    const enter = (): void => turn.resolve();
    const giveUp = (): void => {
      const at = this.#waiting.indexOf(enter);
      if (at === -1) return;
      this.#waiting.splice(at, 1);
      turn.reject(signal.reason);
    };
    this.#waiting.push(enter);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      await turn.promise;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** The place is handed to the next one, so that nobody overtakes. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#inside--;
    else next();
  }
}
