// The import direction of docs/ARCHITECTURE.md: which folder may import from which.

import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  proto: [],
  model: ['proto'],
  storage: ['model'],
  service: [],
  collector: ['model', 'storage', 'service'],
  ingester: ['model', 'storage', 'service'],
  query: ['model', 'storage', 'service'],
  cli: ['model', 'storage', 'service', 'collector', 'ingester', 'query'],
  ui: ['model'],
  integration: [],
  bench: ['model', 'storage', 'service', 'collector', 'ingester', 'query', 'cli'],
  tools: ['model', 'storage', 'service', 'cli'],
};

/** Of `import … from 'x'`, `export … from 'x'`, `import 'x'` and `import('x')`. */
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\1/g;

/** One sentence for each import that goes the wrong way. `files` are relative to the root. */
export function wrongImports(files: readonly string[]): string[] {
  return files.flatMap((file) => wrongImportsOf(file, readFileSync(file, 'utf8')));
}

export function wrongImportsOf(file: string, source: string): string[] {
  const from = topFolder(file);
  const allowed = MAY_IMPORT[from];
  if (allowed === undefined) return [`${file}: ${from} is no folder of ours, see docs/adr`];
  return [...source.matchAll(SPECIFIER)].flatMap(([, , specifier = '']) => {
    const to = topFolder(normalize(join(dirname(file), specifier)));
    if (to === from || allowed.includes(to)) return [];
    const may = allowed.length === 0 ? 'nothing outside itself' : allowed.join(', ');
    return [`${file}: ${from} may import ${may}; not ${to} (${specifier})`];
  });
}

function topFolder(path: string): string {
  return path.split('/', 1)[0] as string;
}
