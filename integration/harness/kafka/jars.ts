// The broker's jars, fetched once by Maven into .cache/kafka (git-ignored), keyed by what pom.xml
// says, so that a changed version cannot hide behind an old folder.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const HERE = fileURLToPath(new URL('.', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../.cache/kafka', import.meta.url));

/** 45 MB of jars; a slow mirror deserves patience. */
const FETCH_MS = 300_000;

/** Resolves with the folder of the jars. Throws one sentence where JDK or Maven is missing. */
export async function kafkaJars(): Promise<string> {
  await need('java', ['-version'], 'a Java runtime of version 17 or newer');
  const pom = readFileSync(join(HERE, 'pom.xml'));
  const digest = createHash('sha256').update(pom).digest('hex').slice(0, 12);
  const folder = join(CACHE, digest);
  if (existsSync(folder)) return folder;
  await need('mvn', ['-v'], 'Maven');
  mkdirSync(CACHE, { recursive: true });
  // Fetched beside and renamed: an interrupted fetch, or two at once, leave no half folder.
  const fresh = join(CACHE, `${digest}.${process.pid}`);
  const target = `-DoutputDirectory=${fresh}`;
  const goal = ['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime', target];
  await run('mvn', goal, { cwd: HERE, timeout: FETCH_MS });
  try {
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

async function need(command: string, args: readonly string[], what: string): Promise<void> {
  try {
    await run(command, args);
  } catch (cause) {
    throw new Error(
      `A broker for tests needs ${what}: \`${command}\` does not run here. Install it, start a ` +
        'container engine, or name a broker in SPANHOUSE_TEST_KAFKA.',
      { cause },
    );
  }
}
