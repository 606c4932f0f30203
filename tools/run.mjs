// npm scripts: `node tools/run.mjs script.ts …` runs a script of ours on Node 24, whatever Node
// npm itself has been started with.

import { fileURLToPath, pathToFileURL } from 'node:url';
import { runsOnNode24 } from '../cli/node24.mjs';

const [script = '', ...args] = process.argv.slice(2);
if (runsOnNode24([fileURLToPath(import.meta.url), script, ...args])) {
  process.argv.splice(1, 2, script);
  await import(pathToFileURL(script).href);
}
