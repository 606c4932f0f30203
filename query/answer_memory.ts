// Bounds the bytes of traces that are in memory for all answers together.

import { RefusalError } from '../service/refusal.ts';

/** Without a setting: a quarter of what a small container has. */
export const ANSWER_BYTES_MAX = 256 * 1024 * 1024;

/** A span as objects takes this many times its bytes as columns: measured 7 for 10,000 spans. */
export const OBJECTS_FACTOR = 8;
/** The answer, its numbers once more, and where each of its texts begins and ends. */
export const COLUMNS_FACTOR = 2;
const RETRY_AFTER_MS = 1000;
const MIB = 1024 * 1024;

export class AnswerMemory {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number = ANSWER_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** What is held now, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** For one answer, or one part of it; `factor` says what is made of the columns' bytes. */
  hold(factor: number = OBJECTS_FACTOR): HeldMemory {
    let own = 0;
    return {
      add: (columnBytes) => {
        const more = columnBytes * factor;
        // The only one is let through: its statement has a limit of its own, and no later try
        // would find more room.
        if (this.#bytes > own && this.#bytes + more > this.#bytesMax) throw this.#full();
        own += more;
        this.#bytes += more;
      },
      free: () => {
        this.#bytes -= own;
        own = 0;
      },
    };
  }

  #full(): RefusalError {
    const max = Math.round(this.#bytesMax / MIB);
    return new RefusalError({
      code: 'busy',
      message:
        `The traces of all answers under way need more than ${max} MiB of memory: ` +
        'try again in a moment, or ask for fewer traces.',
      retryAfterMs: RETRY_AFTER_MS,
    });
  }
}

export interface HeldMemory {
  /** Bytes of columns that have come in. Throws RefusalError `busy` when there is no room. */
  add(columnBytes: number): void;
  /** All that was added. May be called again. */
  free(): void;
}
