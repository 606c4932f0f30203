import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbedded } from './supervisor.ts';
import { send, startTestEngine } from './testing.ts';

const SUPERVISOR = new URL('./supervisor.ts', import.meta.url).href;

test('signals to the whole process group leave the child serving until its parent stops it', async () => {
  await using engine = await startTestEngine(false);
  const { pid } = engine.embedded;
  assert.ok(pid !== undefined);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.kill(pid, signal);
  await sleep(300);
  assert.deepEqual(await engine.rows('SELECT 7 AS seven'), [{ seven: 7 }]);
  assert.equal(engine.embedded.pid, pid);
});

test('a killed child is started again, and clients find it at its new port', async () => {
  await using engine = await startTestEngine(false);
  const { embedded } = engine;
  const deaths: string[] = [];
  embedded.onDeath((message) => deaths.push(message));
  const before = await embedded.access.query();
  await engine.rows('SELECT 1');
  const { pid } = embedded;
  assert.ok(pid !== undefined);
  process.kill(pid, 'SIGKILL');
  while (deaths.length === 0) await sleep(5);
  assert.equal(embedded.state, 'restarting');
  // Asked while it is down: they wait instead of failing.
  const answers = await Promise.all([engine.rows('SELECT 1 AS a'), engine.rows('SELECT 2 AS a')]);
  assert.deepEqual(answers.flat(), [{ a: 1 }, { a: 2 }]);
  assert.equal(embedded.state, 'ready');
  assert.notEqual(embedded.pid, pid);
  assert.notEqual(await embedded.access.query(), before);
  assert.deepEqual(deaths, ['The embedded engine died (SIGKILL); it is being restarted.']);
});

test('a child that dies again and again is started again each time', async () => {
  await using engine = await startTestEngine(false);
  for (let i = 0; i < 3; i += 1) {
    await engine.embedded.url();
    const { pid } = engine.embedded;
    assert.ok(pid !== undefined);
    process.kill(pid, 'SIGKILL');
    while (engine.embedded.state === 'ready') await sleep(5);
  }
  assert.deepEqual(await engine.rows('SELECT 1 AS a'), [{ a: 1 }]);
});

test('data is there after a stop and a start', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'spanhouse-test-'));
  const first = await startEmbedded({ dataDir });
  await send(first, 'ingest', 'CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a');
  await send(first, 'ingest', 'INSERT INTO kept VALUES (7)');
  await first.stop();
  assert.equal(first.state, 'stopped');
  await assert.rejects(first.url(), { name: 'StoreError', retryable: false });
  const second = await startEmbedded({ dataDir });
  assert.equal(await (await send(second, 'query', 'SELECT a FROM kept')).text(), '7\n');
  await second.stop();
  await rm(dataDir, { recursive: true });
});

test('a stop lets a query under way end', async () => {
  const engine = await startTestEngine(false);
  const slow = send(engine.embedded, 'ingest', 'SELECT sleep(1)');
  await sleep(200);
  await engine[Symbol.asyncDispose]();
  assert.equal(await (await slow).text(), '0\n');
});

test('a second start on the same directory is refused in plain words', async () => {
  await using engine = await startTestEngine(false);
  await assert.rejects(startEmbedded({ dataDir: engine.dataDir }), {
    message:
      `The data directory ${engine.dataDir} is in use by another Spanhouse process: stop that ` +
      'one, or choose another directory.',
  });
  assert.deepEqual(await engine.rows('SELECT 1 AS a'), [{ a: 1 }]);
});

test('a data directory that is a file is refused in plain words', async () => {
  const dataDir = join(await mkdtemp(join(tmpdir(), 'spanhouse-test-')), 'file');
  await writeFile(dataDir, '');
  await assert.rejects(startEmbedded({ dataDir }), /Expected a data directory that can be written/);
  await rm(join(dataDir, '..'), { recursive: true });
});

test('too little memory is refused before anything starts', async () => {
  const start = startEmbedded({ dataDir: join(tmpdir(), 'never'), memoryBytes: 1024 });
  await assert.rejects(start, /Expected at least \d+ bytes of memory/);
});

test('the child ends within a second of its parent’s kill, and leaves the directory free', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'spanhouse-test-'));
  const script = `
    const { startEmbedded } = await import(${JSON.stringify(SUPERVISOR)});
    const embedded = await startEmbedded({ dataDir: process.argv[1] });
    console.log(embedded.pid);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script, dataDir]);
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  assert.ok(isAlive(pid));
  parent.kill('SIGKILL');
  for (let waitedMs = 0; isAlive(pid); waitedMs += 20) {
    assert.ok(waitedMs < 1000, 'the child outlived its parent by a second');
    await sleep(20);
  }
  const embedded = await startEmbedded({ dataDir });
  await embedded.stop();
  await rm(dataDir, { recursive: true });
});

test('secrets are in neither arguments nor environment of the child', async () => {
  await using engine = await startTestEngine(false);
  const { embedded } = engine;
  const files = ['cmdline', 'environ'].map((name) => readFile(`/proc/${embedded.pid}/${name}`));
  const text = Buffer.concat(await Promise.all(files)).toString();
  assert.ok(text.includes('child.ts'), 'this is the child');
  for (const role of ['ingest', 'query'] as const) {
    assert.ok(!text.includes(embedded.credentials(role).password));
  }
});

function isAlive(pid: number): boolean {
  try {
    // A zombie is dead: in a container without an init nobody collects it.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
