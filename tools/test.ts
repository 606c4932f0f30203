// npm test: every *.test.ts, unit tests first, then integration/. `npm test -- words…` runs only the
// files whose path has one of the words. `npm run test:full` adds *.slow.test.ts.
// Ends with the line `N passed, N failed`, from what really ran. With CI=true a skip is a failure.

import { join, relative } from 'node:path';
import { run } from 'node:test';
import { ROOT, sourceFiles } from './files.ts';

/** One test. A unit test that takes a minute hangs; integration starts real processes. */
const UNIT_TIMEOUT_MS = 60_000;
const INTEGRATION_TIMEOUT_MS = 300_000;
const SLOW_TIMEOUT_MS = 3_600_000;

/** Files at once. Integration tests measure and wait: side by side they would disturb each other. */
const UNIT_CONCURRENCY = 2;
const INTEGRATION_CONCURRENCY = 1;

/** A file may take so many times as long as one test, then it is ended. */
const FILE_TIMEOUT_FACTOR = 3;
const LEFT_OPEN =
  'the file did not end in time: a test hangs, or a socket, timer or process is left';

/** Of what a failing file has written, so much is shown. */
const OUTPUT_LENGTH_MAX = 20_000;

interface Tally {
  passed: number;
  readonly failed: string[];
  readonly skipped: string[];
}

process.chdir(ROOT);
const words = process.argv.slice(2).filter((argument) => argument !== '--full');
const full = process.argv.includes('--full');
const files = sourceFiles('.test.ts')
  .filter((file) => full || !isSlow(file))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
const tally: Tally = { passed: 0, failed: [], skipped: [] };

const unit = files.filter((file) => !isIntegration(file) && !isSlow(file));
const integration = files.filter((file) => isIntegration(file) && !isSlow(file));
await runFiles('unit', unit, UNIT_CONCURRENCY, UNIT_TIMEOUT_MS);
await runFiles('integration', integration, INTEGRATION_CONCURRENCY, INTEGRATION_TIMEOUT_MS);
await runFiles('slow', files.filter(isSlow), INTEGRATION_CONCURRENCY, SLOW_TIMEOUT_MS);
process.exitCode = conclude();

function isIntegration(file: string): boolean {
  return file.startsWith('integration/');
}

function isSlow(file: string): boolean {
  return file.endsWith('.slow.test.ts');
}

async function runFiles(
  title: string,
  group: readonly string[],
  concurrency: number,
  timeoutMs: number,
): Promise<void> {
  if (group.length === 0) return;
  console.log(`── ${title}: ${group.length} files`);
  const waiting = [...group];
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      await runFile(file, timeoutMs);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

async function runFile(file: string, timeoutMs: number): Promise<void> {
  const startMs = performance.now();
  let bad = false;
  let output = '';
  // A file whose tests have ended but that keeps a socket or timer open would run for ever.
  const signal = AbortSignal.timeout(timeoutMs * FILE_TIMEOUT_FACTOR);
  const stream = run({ files: [file], timeout: timeoutMs, cwd: ROOT, signal });
  const keep = ({ message }: { message: string }): void => {
    output = (output + message).slice(-OUTPUT_LENGTH_MAX);
  };
  stream.on('test:stdout', keep);
  stream.on('test:stderr', keep);
  stream.on('test:pass', (test) => {
    // A suite passes and fails with its tests; they are counted, it is not.
    if (test.details.type === 'suite') return;
    if (isFileItself(test, file)) {
      bad = true;
      fail(test, 'no test of the file was heard to the end: it has none, or it exits by itself');
    } else if (test.skip !== undefined || test.todo !== undefined) {
      skip(test);
    } else {
      tally.passed += 1;
    }
  });
  stream.on('test:fail', (test) => {
    if (test.details.type === 'suite') return;
    bad = true;
    const { error } = test.details;
    fail(test, signal.aborted ? LEFT_OPEN : explain(error.cause ?? error));
  });
  for await (const _ of stream);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`  ${bad ? 'FAILED' : 'ok'} ${file} (${seconds} s)`);
  if (bad && output !== '') console.log(indent(output));
}

interface Reported {
  readonly name: string;
  readonly nesting: number;
  readonly file?: string;
  readonly line?: number;
}

/** Node reports a file without tests, or one that crashes, as a test with the file's name. */
function isFileItself({ name, nesting }: Reported, file: string): boolean {
  return nesting === 0 && (name === file || name === join(ROOT, file));
}

function skip(test: Reported & { skip?: string | boolean; todo?: string | boolean }): void {
  const reason = test.skip ?? test.todo;
  const line = `${placeOf(test)} ${test.name}${typeof reason === 'string' ? `: ${reason}` : ''}`;
  tally.skipped.push(line);
  console.log(`  SKIPPED ${line}`);
}

function fail(test: Reported, why: string): void {
  const line = `${placeOf(test)} ${test.name}\n${indent(why)}`;
  tally.failed.push(line);
  console.log(`  FAILED ${line}`);
}

function placeOf({ file, line }: Reported): string {
  return `${file === undefined ? '' : relative(ROOT, file)}:${line ?? 1}`;
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error.stack ?? error.message).replaceAll(ROOT, '');
}

function indent(text: string): string {
  return text.trimEnd().replace(/^/gm, '      ');
}

function conclude(): number {
  const { passed, failed, skipped } = tally;
  const ran = passed + failed.length;
  if (failed.length > 0) console.log(`\n── failed\n${failed.join('\n')}\n`);
  if (skipped.length > 0)
    console.log(`\n── SKIPPED, so not known to work\n${skipped.join('\n')}\n`);
  const skippedFails = process.env['CI'] === 'true';
  const failures = failed.length + (skippedFails ? skipped.length : 0);
  if (ran === 0) console.log(`no test ran: no file matches ${words.join(' ')}`);
  const rest = skipped.length === 0 ? '' : `, ${skipped.length} skipped`;
  console.log(`${passed} passed, ${failures} failed${rest}`);
  return failures > 0 || ran === 0 ? 1 : 0;
}
