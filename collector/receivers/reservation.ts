// What one request has taken from the memory budget, given back as a whole when it is over.

import type { MemoryBudget } from '../../service/memory_budget.ts';
import { RefusalError } from '../../service/refusal.ts';

/** Memory frees up as soon as a batch in flight is stored: blocks close within 1.5 s. */
const RETRY_AFTER_MS = 1000;

export class Reservation {
  readonly #budget: MemoryBudget;
  #bytes = 0;
  #closed = false;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /** Takes `bytes` more; throws RefusalError `busy` when the process has no room for them. */
  take(bytes: number): void {
    // After close nobody would give it back: a late chunk of a request that is over.
    if (this.#closed) return;
    if (!this.#budget.tryReserve(bytes)) {
      throw new RefusalError({
        code: 'busy',
        message:
          'the memory for requests in flight (memory.limit) is full: send the same request again later',
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    this.#bytes += bytes;
  }

  /** Gives back a part; never more than was taken. */
  give(bytes: number): void {
    if (this.#closed) return;
    this.#bytes -= bytes;
    this.#budget.release(bytes);
  }

  /** Gives back everything; later calls of any method do nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#budget.release(this.#bytes);
  }
}
