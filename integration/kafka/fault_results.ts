// What the fault tests counted, kept for the table that is made of it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REPOSITORY } from '../harness/spanhouse.ts';
import type { MemoryLine } from './memory.ts';

export interface FaultResult {
  /** Of the fault matrix, e.g. F06. */
  readonly id: string;
  readonly fault: string;
  /** Spans that a sender was told OK for, before, during and after the fault. */
  readonly acknowledged: number;
  readonly lost: number;
  /** Shown twice. */
  readonly doubled: number;
  /** The longest time from a request's first refusal to the moment when it was taken. */
  readonly longestRefusalMs: number;
  /** From the end of the fault to senders being served and all of the log being stored. */
  readonly healMs: number;
}

export interface SoakResult {
  readonly minutes: number;
  readonly acknowledged: number;
  readonly spansPerSecond: number;
  readonly lost: number;
  readonly doubled: number;
  readonly longestRefusalMs: number;
  /** kill -9, by process. */
  readonly kills: Readonly<Record<string, number>>;
  readonly memory: readonly MemoryLine[];
}

export const SOAK = join(REPOSITORY, '.cache/faults/soak.json');
export const RESULTS = join(REPOSITORY, '.cache/faults/results');

/** Replaces what an earlier run of the same fault found. */
export function keepResult(result: FaultResult): void {
  mkdirSync(RESULTS, { recursive: true });
  const name = `${result.id}-${result.fault}`.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 100);
  writeFileSync(join(RESULTS, `${name}.json`), JSON.stringify(result));
}

export function keepSoak(result: SoakResult): void {
  mkdirSync(dirname(SOAK), { recursive: true });
  writeFileSync(SOAK, JSON.stringify(result));
}
