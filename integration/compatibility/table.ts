// `npm run compatibility`: sends a trace with every tracer of this folder, and writes
// docs/COMPATIBILITY.md from what could be read back. `npm run compatibility -- words…` tries only the
// files that begin with one of the words.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../harness/spanhouse.ts';
import { RESULTS, type Result } from './results.ts';

const PAGE = join(REPOSITORY, 'docs/COMPATIBILITY.md');

const HEAD = `# Tracers that were tried

Each of these, unmodified and at its own defaults but the address, sent a trace that was read back by
Jaeger's API (\`/api/traces/{id}\`) and by Zipkin's (\`/api/v2/trace/{id}\`), and compared with what its
program recorded: ids, parents, names, kinds, service, tags, the error and the event. The last columns
say how many spans each API has shown so. \`npm run compatibility\` does it again and writes this page;
the OpenTelemetry SDKs over OTLP are tried by \`integration/otel\`. How to read topics: [KAFKA](KAFKA.md).
`;

const TABLE_HEAD = `| language | tracer | sends | by Jaeger's API | by Zipkin's API |
|---|---|---|---|---|`;

function main(): number {
  const words = process.argv.slice(2);
  // Those that are not tried again keep what they had.
  if (words.length === 0) rmSync(RESULTS, { recursive: true, force: true });
  const tests = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.test.ts'))
    .filter((name) => words.length === 0 || words.some((word) => name.startsWith(word)));
  for (const name of tests.sort()) {
    const file = join(import.meta.dirname, name);
    const { status } = spawnSync(process.execPath, ['--test', file], { stdio: 'inherit' });
    if (status !== 0) return 1;
  }
  writeFileSync(PAGE, page(readResults()));
  console.log(`written: docs/COMPATIBILITY.md`);
  return 0;
}

function readResults(): Result[] {
  if (!existsSync(RESULTS)) return [];
  return readdirSync(RESULTS)
    .sort()
    .flatMap((name) => JSON.parse(readFileSync(join(RESULTS, name), 'utf8')) as Result[]);
}

function page(results: readonly Result[]): string {
  const rows = results.map(
    ({ language, tracer, sends, shown }) =>
      `| ${language} | ${tracer} | ${sends} | ${shown?.jaeger ?? '–'} | ${shown?.zipkin ?? '–'} |`,
  );
  return `${HEAD}\n${TABLE_HEAD}\n${rows.join('\n')}\n`;
}

process.exitCode = main();
