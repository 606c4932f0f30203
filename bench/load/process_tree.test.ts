import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { parseStat, readProcessTree, totalCpuSeconds, totalRssBytes } from './process_tree.ts';

test('a name with parentheses and spaces does not shift the fields', () => {
  const times = '100 50 20 30';
  const stat = parseStat(`42 (a) b (c)) S 7 1 1 0 -1 0 0 0 0 0 ${times} 20 0 8 0 5 1000 9 18446`);
  assert.equal(stat.pid, 42);
  assert.equal(stat.name, 'a) b (c)');
  assert.equal(stat.parentPid, 7);
  assert.ok(
    Math.abs(stat.cpuSeconds - 2) < 1,
    'ticks are hundredths of a second nearly everywhere',
  );
  assert.equal(stat.rssBytes % 9, 0);
});

test('a child counts with its parent, and its work shows', async (t) => {
  // CPU time, not wall time: the machine may be busy.
  const burn = 'while (process.cpuUsage().user < 3e5); setInterval(() => {}, 1e6);';
  const script = `${burn} console.log('done')`;
  const child = spawn(process.execPath, ['-e', script], { stdio: 'pipe' });
  t.after(() => child.kill());
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  const mine = readProcessTree(process.pid);
  assert.ok(mine.some(({ pid }) => pid === child.pid));
  const tree = readProcessTree(child.pid ?? 0);
  assert.equal(tree[0]?.pid, child.pid);
  assert.ok(totalCpuSeconds(tree) >= 0.25);
  assert.ok(totalRssBytes(tree) > 10e6);
  child.kill();
  await exited;
});

test('a process that has ended is an empty tree', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  assert.deepEqual(readProcessTree(child.pid ?? 0), []);
});
