import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeClient } from '../storage/clickhouse/client.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

interface User {
  readonly user: string;
  readonly password: string;
}

test('clickhouse runs the engine alone and tells its address to this user only', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'spanhouse-clickhouse-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const args = [MAIN, 'clickhouse', '--storage-directory', join(directory, 'data')];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, XDG_RUNTIME_DIR: directory },
  });
  t.after(() => child.kill('SIGKILL'));
  let path = '';
  for await (const line of createInterface(child.stdout)) {
    path = /^Users and passwords are in (.+)$/.exec(line)?.[1] ?? '';
    if (path !== '') break;
  }
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const address = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly url: string;
    readonly ingest: User;
    readonly query: User;
  };
  const client = makeClient({ url: address.url, ...address.query }, 10_000);
  const answer = await client.query({ query: 'SELECT 6 * 7 AS n', format: 'JSONEachRow' });
  assert.deepEqual(await answer.json(), [{ n: 42 }]);
  await client.close();
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number | null];
  assert.equal(code, 0);
  assert.equal(existsSync(path), false, 'the file with the passwords is gone');
});
