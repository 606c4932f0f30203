// npm's prepack: builds dist/ with the JavaScript of everything that runs, since Node does not strip
// types under node_modules. The folders stay as they are, so that every path relative to a file
// (schemas, proto files, workers, WebAssembly) holds in a clone and in the package alike.

import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './files.ts';

const DIST = join(ROOT, 'dist');

/** What the code reads at run time beside itself. */
const ASSETS = '{proto,model,storage,service,collector,ingester,query,cli}/**/*.{proto,sql,wasm}';

process.chdir(ROOT);
rmSync(DIST, { recursive: true, force: true });
const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const built = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
if (built.status !== 0) throw new Error('the types are wrong: `npm run check` first');
const assets = globSync(ASSETS, { exclude: (path) => /(^|\/)(testdata|testing)(\/|$)/.test(path) });
for (const asset of assets) {
  mkdirSync(join(DIST, dirname(asset)), { recursive: true });
  cpSync(asset, join(DIST, asset));
}
if (!assets.some((asset) => asset.endsWith('.wasm'))) {
  throw new Error('the OTLP walk is not compiled: run `npm run prepare` first');
}
const { name, version } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  name: string;
  version: string;
};
writeFileSync(
  join(DIST, 'package.json'),
  `${JSON.stringify({ name, version, type: 'module', private: true }, null, 2)}\n`,
);
const scripts = globSync('**/*.js', { cwd: DIST });
console.error(`dist/: ${scripts.length} scripts, ${assets.length} assets`);
