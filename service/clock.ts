// Time as a parameter, so that tests do not wait for it.

import { setTimeout as sleepFor } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds since 1970, may jump. For timestamps. */
  nowMs(): number;
  /** Milliseconds since some start, never goes back. For durations. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Node fires a timer of 2^31 ms or more at once; nothing of ours sleeps that long (24 days). */
export const SLEEP_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    const delayMs = Math.min(Math.max(ms, 0), SLEEP_MS_MAX);
    try {
      await sleepFor(delayMs, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    }
  },
};
