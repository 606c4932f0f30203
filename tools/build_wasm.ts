// Compiles the AssemblyScript walk over OTLP bytes to WebAssembly, next to the code that loads it.
// Runs at install (npm's `prepare`); skips when the output is newer than every source.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'model', 'codec', 'otlp');
const sources = join(folder, 'assembly');
const output = join(folder, 'otlp.wasm');

// stub runtime: nothing is ever allocated; all memory is laid out by layout.ts.
const FLAGS = ['-O3', '--converge', '--noAssert', '--runtime', 'stub'].concat(
  ['--enable', 'simd', '--enable', 'bulk-memory'],
  ['--initialMemory', '23300', '--maximumMemory', '23300', '--use', 'abort='],
);

function upToDate(): boolean {
  if (!existsSync(output)) return false;
  const built = statSync(output).mtimeMs;
  const files = readdirSync(sources).map((name) => join(sources, name));
  return files
    .concat(fileURLToPath(import.meta.url))
    .every((file) => statSync(file).mtimeMs < built);
}

function compiler(): string | undefined {
  try {
    const main = createRequire(import.meta.url).resolve('assemblyscript/package.json');
    return join(dirname(main), 'bin', 'asc.js');
  } catch {
    return undefined;
  }
}

function build(): number {
  if (upToDate()) return 0;
  const asc = compiler();
  if (asc === undefined) {
    console.error(
      'The OTLP walk was not compiled: assemblyscript is a development dependency and is not ' +
        'installed. Run `npm ci` without --omit=dev, or use the published package.',
    );
    return existsSync(output) ? 0 : 1;
  }
  const args = [asc, join(sources, 'main.ts'), '-o', output, ...FLAGS];
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
}

process.exitCode = build();
