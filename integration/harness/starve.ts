import { setTimeout as sleep } from 'node:timers/promises';

/** Short enough that no timeout of anyone sees a whole one. */
const PERIOD_MS = 200;

/**
 * Lets a process run for `share` of the time, for `ms`: what a cgroup's quota does, without one.
 * The process runs again afterwards, or has ended meanwhile.
 */
export async function starve(pid: number, share: number, ms: number): Promise<void> {
  const endMs = performance.now() + ms;
  try {
    while (performance.now() < endMs) {
      process.kill(pid, 'SIGSTOP');
      await sleep(PERIOD_MS * (1 - share));
      process.kill(pid, 'SIGCONT');
      await sleep(PERIOD_MS * share);
    }
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}
