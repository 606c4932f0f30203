import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MODULE = fileURLToPath(new URL('./node24.mjs', import.meta.url));

/** What an older Node would do: this one, told that it is another. */
function run(t: TestContext, module: string, version: string, prepare = ''): string {
  const directory = mkdtempSync(join(tmpdir(), 'spanhouse-node-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const target = join(directory, 'target.mjs');
  writeFileSync(target, "console.log('ran on', process.versions.node, process.argv[2]);");
  const asked = join(directory, 'asked.mjs');
  writeFileSync(
    asked,
    `Object.defineProperty(process, 'versions', { value: { node: '${version}' } });
     ${prepare}
     const { runsOnNode24 } = await import(${JSON.stringify(module)});
     if (runsOnNode24([${JSON.stringify(target)}, 'argument'])) console.log('stayed');`,
  );
  const { stdout, stderr, status } = spawnSync(process.execPath, [asked], { encoding: 'utf8' });
  return `${stdout}${stderr}exit ${status}`;
}

test('Node 24 and later stay as they are', (t) => {
  assert.equal(run(t, MODULE, '24.0.0'), 'stayed\nexit 0');
  assert.equal(run(t, MODULE, '26.1.0'), 'stayed\nexit 0');
});

// On other platforms no Node comes with us; there the sentence of the last test is the answer.
if (process.platform === 'linux') {
  test('an older Node hands over to the one that was installed with us', (t) => {
    assert.match(run(t, MODULE, '22.18.0'), /^ran on 2[4-9]\.\S+ argument\nexit 0$/);
  });

  test('one that cannot replace itself starts the other as a child', (t) => {
    const answer = run(t, MODULE, '20.20.2', 'process.execve = undefined;');
    assert.match(answer, /^ran on 2[4-9]\.\S+ argument\nexit 0$/);
  });
}

test('where no other Node is at hand, one plain sentence says what to do', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'spanhouse-alone-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const alone = join(directory, 'node24.mjs');
  copyFileSync(MODULE, alone);
  assert.match(run(t, alone, '20.20.2'), /^Spanhouse needs Node 24 or later.*\nexit 1$/);
});
