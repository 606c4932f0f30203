import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 25;

/**
 * Polls `probe` until it gives something other than undefined, and returns that.
 * Throws after `timeoutMs`, naming `what` and the last error that the probe threw, if any.
 */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined) return value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${timeoutMs} ms`, { cause: last });
    }
    await sleep(POLL_MS);
  }
}
