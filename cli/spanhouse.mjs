#!/usr/bin/env node
// The command. A clone runs the TypeScript as it stands; a package has it built, since Node does
// not strip types under node_modules.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runsOnNode24 } from './node24.mjs';

if (runsOnNode24([fileURLToPath(import.meta.url), ...process.argv.slice(2)])) {
  const source = new URL('./main.ts', import.meta.url);
  const built = new URL('../dist/cli/main.js', import.meta.url);
  await import((existsSync(source) ? source : built).href);
}
