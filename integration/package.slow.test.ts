// The npm package, made and installed elsewhere as a user would. Slow: it installs from the registry.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { REPOSITORY } from './harness/spanhouse.ts';

const run = promisify(execFile);

test('npm pack makes a package that runs where it is installed', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'spanhouse-package-'));
  try {
    await run('npm', ['pack', '--silent', '--pack-destination', directory], { cwd: REPOSITORY });
    const [tarball = ''] = await readdir(directory);
    assert.match(tarball, /^spanhouse-\d+\.\d+\.\d+\.tgz$/);
    await writeFile(join(directory, 'package.json'), '{ "private": true }');
    await run('npm', ['install', '--prefer-offline', '--no-audit', `./${tarball}`], {
      cwd: directory,
    });
    const spanhouse = async (...args: readonly string[]): Promise<string> => {
      const { stdout } = await run('npx', ['spanhouse', ...args], { cwd: directory });
      return stdout;
    };
    assert.match(await spanhouse('version'), /^spanhouse \d+\.\d+\.\d+ \(Node v2[4-9]/);
    assert.match(await spanhouse('all-in-one', '--help'), /^Usage: spanhouse all-in-one/);
    const data = join(directory, 'data');
    assert.match(await spanhouse('migrate', '--storage-directory', data), /^applied /m);
    assert.match(await spanhouse('migrate', '--storage-directory', data), /^nothing to do/m);
  } finally {
    await rm(directory, { recursive: true });
  }
});
