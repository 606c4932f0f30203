// What a test can do to a process of ours from inside, without a word in our code: a clock that is
// wrong, and a promise that is rejected with nobody to hear it. Node loads `mischief_hook.ts` before
// the program; it obeys SIGUSR2, which none of our processes use.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const HOOK = pathToFileURL(join(import.meta.dirname, 'mischief_hook.ts')).href;

export interface Mischief {
  /** What the process's wall clock is ahead of ours; negative: behind. */
  readonly clockMs?: number;
  readonly reject?: boolean;
}

/** The environment of a process that obeys `file`, from its start. */
export function mischiefEnv(file: string, first: Mischief = {}): Record<string, string> {
  writeFileSync(file, JSON.stringify(first));
  return { NODE_OPTIONS: `--import=${HOOK}`, MISCHIEF_FILE: file };
}

/** From now on this. */
export function makeMischief(file: string, pid: number, what: Mischief): void {
  writeFileSync(file, JSON.stringify(what));
  process.kill(pid, 'SIGUSR2');
}
