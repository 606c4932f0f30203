// Measures work inside this process: CPU seconds of all its threads, garbage collection included.

import { median } from './report.ts';

export interface Work {
  /** Does it once and returns how many spans it was done for. */
  readonly once: () => number;
}

export interface Measured {
  /** Median over the rounds. */
  readonly spansPerCpuSecond: number;
  readonly lowest: number;
  readonly highest: number;
}

/**
 * Rounds are interleaved, since a shared machine changes its speed from minute to minute: what
 * matters is that all contenders meet the same weather. One untimed round each comes first, to
 * warm up.
 */
export function measureInterleaved<Name extends string>(
  contenders: Readonly<Record<Name, Work>>,
  rounds: number,
  roundSeconds: number,
): Record<Name, Measured> {
  const names = Object.keys(contenders) as Name[];
  const speeds = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const speed = measureRound(contenders[name], roundSeconds);
      if (round > 0) speeds.get(name)?.push(speed);
    }
  }
  const entries = names.map((name) => {
    const all = speeds.get(name) ?? [];
    const range = { lowest: Math.min(...all), highest: Math.max(...all) };
    return [name, { spansPerCpuSecond: median(all), ...range }] as const;
  });
  return Object.fromEntries(entries) as Record<Name, Measured>;
}

function measureRound(work: Work, seconds: number): number {
  const before = process.cpuUsage();
  const endMs = performance.now() + seconds * 1000;
  let spans = 0;
  do spans += work.once();
  while (performance.now() < endMs);
  const used = process.cpuUsage(before);
  return spans / ((used.user + used.system) / 1e6);
}
