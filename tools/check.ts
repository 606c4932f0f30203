// npm run check: types, lint and format, import direction, dead code and unused dependencies, the
// lock, the generated documents. In parallel, and silent about all that is well.

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { missingEntries, readLock } from './complete_lock.ts';
import { ROOT, sourceFiles } from './files.ts';
import { wrongImports } from './import_direction.ts';

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

interface Finding {
  readonly check: string;
  /** Empty when all is well. */
  readonly problems: string;
}

process.chdir(ROOT);
const startMs = performance.now();
const findings = await Promise.all([
  tool('types', 'typescript', 'tsc', ['-p', 'tsconfig.json']),
  tool('lint and format', '@biomejs/biome', 'biome', ['check', '--error-on-warnings', '.']),
  tool('dead code and dependencies', 'knip', 'knip', ['--no-progress', '--no-config-hints']),
  Promise.resolve(finding('import direction', wrongImports(sourceFiles()))),
  Promise.resolve(finding('package-lock.json', lockProblems())),
]);
const wrong = findings.filter(({ problems }) => problems !== '');
for (const { check, problems } of wrong) console.error(`── ${check}\n${problems}\n`);
const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
console.log(
  wrong.length === 0
    ? `${findings.length} checks passed (${seconds} s)`
    : `${wrong.length} of ${findings.length} checks failed (${seconds} s)`,
);
process.exitCode = wrong.length === 0 ? 0 : 1;

function finding(check: string, problems: readonly string[]): Finding {
  return { check, problems: problems.join('\n') };
}

/** Runs a package's own command under this Node, and keeps what it says when it fails. */
function tool(
  check: string,
  packageName: string,
  command: string,
  args: readonly string[],
): Promise<Finding> {
  const script = commandOf(packageName, command);
  return new Promise((resolve) => {
    const options = { maxBuffer: OUTPUT_BYTES_MAX };
    execFile(process.execPath, [script, ...args], options, (error, stdout, stderr) => {
      const said = `${stdout}${stderr}`.trim();
      resolve({ check, problems: error === null ? '' : said || error.message });
    });
  });
}

function commandOf(packageName: string, command: string): string {
  const folder = join(ROOT, 'node_modules', packageName);
  const { bin } = createRequire(import.meta.url)(join(folder, 'package.json')) as {
    bin: string | Readonly<Record<string, string>>;
  };
  const path = typeof bin === 'string' ? bin : bin[command];
  if (path === undefined) throw new Error(`${packageName} has no command ${command}`);
  return join(dirname(join(folder, 'package.json')), path);
}

function lockProblems(): string[] {
  return [...missingEntries(readLock()).keys()].map(
    (place) => `${place} is missing, so \`npm ci\` would refuse the lock: \`npm run lock\` adds it`,
  );
}
