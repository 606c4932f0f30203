// The resident memory of processes over time: does it grow?
import { rssBytes } from '../harness/process_tree.ts';

/** A process reads code and fills its buffers first; what it does after that counts. */
const WARM_UP_MS = 60_000;
const MB = 1_000_000;
const HOUR_MS = 3_600_000;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

export interface MemoryLine {
  readonly process: string;
  readonly samples: number;
  readonly firstMB: number;
  readonly lastMB: number;
  readonly maxMB: number;
  /** Of the straight line through all samples after the warm-up; least squares. */
  readonly slopeMBPerHour: number;
}

export class Memory {
  readonly #samples = new Map<string, Sample[]>();
  readonly #sinceMs = performance.now();

  /** `pids` by the name that its line will have. */
  sample(pids: Readonly<Record<string, number>>): void {
    const atMs = performance.now() - this.#sinceMs;
    for (const [name, pid] of Object.entries(pids)) {
      const bytes = rssBytes(pid);
      if (bytes === 0) continue;
      const own = this.#samples.get(name) ?? [];
      this.#samples.set(name, own);
      own.push({ atMs, bytes });
    }
  }

  lines(): MemoryLine[] {
    return [...this.#samples].map(([process, all]) => {
      const warm = all.filter(({ atMs }) => atMs >= WARM_UP_MS);
      const samples = warm.length > 2 ? warm : all;
      return {
        process,
        samples: samples.length,
        firstMB: inMB(samples[0]?.bytes ?? 0),
        lastMB: inMB(samples.at(-1)?.bytes ?? 0),
        maxMB: inMB(Math.max(...all.map(({ bytes }) => bytes))),
        slopeMBPerHour: inMB(slope(samples) * HOUR_MS),
      };
    });
  }
}

function inMB(bytes: number): number {
  return Math.round((10 * bytes) / MB) / 10;
}

/** Bytes a millisecond. */
function slope(samples: readonly Sample[]): number {
  const meanMs = mean(samples.map(({ atMs }) => atMs));
  const meanBytes = mean(samples.map(({ bytes }) => bytes));
  let above = 0;
  let below = 0;
  for (const { atMs, bytes } of samples) {
    above += (atMs - meanMs) * (bytes - meanBytes);
    below += (atMs - meanMs) ** 2;
  }
  return below === 0 ? 0 : above / below;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
