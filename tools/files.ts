// The TypeScript files of the repository, by their paths from its root.

import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Not ours, or built; and the AssemblyScript, which is another language under the same ending. */
const LEFT_OUT =
  /(^|\/)(node_modules|dist|\.cache|\.git)(\/|$)|^model\/codec\/otlp\/assembly(\/|$)/;

export function sourceFiles(ending = '.ts'): string[] {
  const found = globSync(`**/*${ending}`, { cwd: ROOT, exclude: (path) => LEFT_OUT.test(path) });
  return found.filter((path) => !LEFT_OUT.test(path)).sort();
}
