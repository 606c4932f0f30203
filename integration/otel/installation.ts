// Installs an SDK program once into .cache/ (git-ignored), keyed by what its files say, so that a
// second run costs nothing and a changed version cannot hide behind an old installation.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { REPOSITORY } from '../harness/spanhouse.ts';

const run = promisify(execFile);
const CACHE = join(REPOSITORY, '.cache/otel');

/** One family: four of them must fit the four minutes that CI has for installing. */
const STEP_MS = 300_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

export type Step = readonly [command: string, ...args: string[]];

/**
 * Copies `integration/otel/<language>` to the cache and runs `steps` there, unless that is done
 * already. Resolves with the directory; throws with the output of the step that failed.
 */
export async function install(language: string, steps: readonly Step[]): Promise<string> {
  const source = fileURLToPath(new URL(language, import.meta.url));
  const directory = join(CACHE, `${language}-${digest(source, steps)}`);
  const done = join(directory, '.installed');
  if (existsSync(done)) return directory;
  removeOlder(language);
  mkdirSync(directory, { recursive: true });
  cpSync(source, directory, { recursive: true });
  for (const [command, ...args] of steps) {
    await run(command, args, {
      cwd: directory,
      env: environment(),
      timeout: STEP_MS,
      maxBuffer: OUTPUT_BYTES_MAX,
    });
  }
  writeFileSync(done, '');
  return directory;
}

/** What an earlier version of the files or a broken installation left behind. */
function removeOlder(language: string): void {
  if (!existsSync(CACHE)) return;
  for (const name of readdirSync(CACHE)) {
    if (name.startsWith(`${language}-`))
      rmSync(join(CACHE, name), { recursive: true, force: true });
  }
}

function digest(source: string, steps: readonly Step[]): string {
  const hash = createHash('sha256').update(JSON.stringify([steps, process.arch, process.platform]));
  for (const name of readdirSync(source).sort()) {
    hash.update(name).update(readFileSync(join(source, name)));
  }
  return hash.digest('hex').slice(0, 12);
}

/** Under `npm test`, npm tells children about *this* project; the installation is its own. */
function environment(): NodeJS.ProcessEnv {
  const aboutUs = /^(npm_package_|npm_lifecycle_|npm_config_local_prefix$|INIT_CWD$|NODE_TEST_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => !aboutUs.test(key)));
}
