import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCommand } from './commands.ts';

async function migrate(directory: string, ...args: readonly string[]): Promise<string> {
  const said: string[] = [];
  const code = await runCommand({
    args: ['migrate', '--storage-directory', directory, ...args],
    env: {},
    out: (text) => said.push(text),
    err: (text) => said.push(text),
  });
  assert.equal(code, 0, said.join('\n'));
  return said.join('\n');
}

test('migrate shows, applies, and then finds nothing to do, on the embedded engine', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'spanhouse-migrate-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const shown = await migrate(directory, '--dry-run');
  assert.match(shown, /CREATE TABLE IF NOT EXISTS spanhouse\.spans\b/);
  assert.equal(await migrate(directory, '--dry-run'), shown, 'a dry run changes nothing');
  assert.match(await migrate(directory), /^applied 0001_spans\.sql$/m);
  assert.equal(await migrate(directory), 'nothing to do: the tables are up to date');
  assert.match(await migrate(directory, '--retention=9d', '--dry-run'), /INTERVAL 9 DAY/);
});

test('a server that cannot be reached is one sentence, without a stack', async () => {
  const said: string[] = [];
  const code = await runCommand({
    args: ['migrate', '--clickhouse-url', 'http://127.0.0.1:1'],
    env: {},
    out: () => undefined,
    err: (text) => said.push(text),
  });
  assert.equal(code, 1);
  assert.match(said.join('\n'), /^spanhouse migrate: .*127\.0\.0\.1:1/);
  assert.doesNotMatch(said.join('\n'), /\n\s+at /);
});
