// `npm run bench -- [name…] [--flag value…]`: runs the named benchmarks one after the other, or
// lists them. A benchmark is bench/<name>.ts or bench/<name>/main.ts that exports `run(args)`; see
// README.md.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

interface Benchmark {
  readonly name: string;
  readonly file: string;
  /** First sentence of the file's first comment. */
  readonly about: string;
}

/** Flags go to every benchmark named; each knows its own and refuses others. */
async function main(args: readonly string[]): Promise<number> {
  const benchmarks = await findBenchmarks(import.meta.dirname);
  const firstFlag = args.findIndex((arg) => arg.startsWith('--'));
  const names = firstFlag === -1 ? args : args.slice(0, firstFlag);
  const flags = firstFlag === -1 ? [] : args.slice(firstFlag);
  if (names.length === 0) {
    printList(benchmarks);
    return 0;
  }
  for (const name of names) {
    const benchmark = benchmarks.find((known) => known.name === name);
    if (benchmark === undefined) {
      console.error(`There is no benchmark "${name}"; without a name, the known ones are listed.`);
      return 2;
    }
    const module: unknown = await import(pathToFileURL(benchmark.file).href);
    if (!hasRun(module)) throw new Error(`${benchmark.file} exports no function run(args)`);
    await module.run([...flags]);
  }
  return 0;
}

/** Files that export `run`, found by their text so that listing loads none of them. */
async function findBenchmarks(folder: string): Promise<readonly Benchmark[]> {
  const found: Benchmark[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const isSource = entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts');
    if (!entry.isDirectory() && !isSource) continue;
    const file = path.join(folder, entry.name, ...(entry.isDirectory() ? ['main.ts'] : []));
    const text = await readFile(file, 'utf8').catch(() => '');
    if (!/^export async function run\(/m.test(text)) continue;
    const comment = /^(?:\/\/ .*\n)+/.exec(text)?.[0] ?? '';
    const about =
      comment
        .replace(/^\/\/ /gm, '')
        .replaceAll('\n', ' ')
        .split(/[.;:] /)[0] ?? '';
    const name = path.basename(entry.name, '.ts').replaceAll('_', '-');
    found.push({ name, file, about });
  }
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

function printList(benchmarks: readonly Benchmark[]): void {
  console.log('Benchmarks (npm run bench -- <name> [<name>…] [--flags]):\n');
  const width = Math.max(0, ...benchmarks.map((benchmark) => benchmark.name.length));
  for (const { name, about } of benchmarks) console.log(`  ${name.padEnd(width)}  ${about}`);
  console.log('\nEach prints a table and writes bench/results/<name>.json.');
}

function hasRun(module: unknown): module is { run(args: string[]): Promise<void> } {
  return typeof module === 'object' && module !== null && 'run' in module;
}

process.exitCode = await main(process.argv.slice(2));
