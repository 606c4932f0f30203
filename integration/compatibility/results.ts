// What the tests of this folder found to work, kept for the page that is made of it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../harness/spanhouse.ts';

export interface Result {
  readonly language: string;
  readonly tracer: string;
  readonly sends: string;
}

export const RESULTS = join(REPOSITORY, '.cache/compatibility/results');

/** Replaces what an earlier run of the language found. */
export function keepResults(language: string, results: readonly Result[]): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${language}.json`), JSON.stringify(results));
}
