// What the tests of this folder found to work, kept for the page that is made of it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../harness/spanhouse.ts';

export interface Result {
  readonly language: string;
  readonly tracer: string;
  readonly sends: string;
  /** Undefined for what reads from us instead of sending. */
  readonly shown: Shown | undefined;
}

/** Spans that each API has shown as they were recorded. */
export interface Shown {
  readonly jaeger: number;
  readonly zipkin: number;
}

export const RESULTS = join(REPOSITORY, '.cache/compatibility/results');

/** Replaces what an earlier run of the language found. */
export function keepResults(language: string, results: readonly Result[]): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${language}.json`), JSON.stringify(results));
}
