import assert from 'node:assert/strict';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { test } from 'node:test';
import { startBufferGarbage } from './buffer_garbage.ts';

const MIB = 1024 * 1024;

/** Makes so much garbage, each buffer of it held for a while; the most that there was at once. */
async function litter(mib: number): Promise<number> {
  const held: Buffer[] = [];
  let mostMib = 0;
  for (let i = 0; i < mib; i++) {
    held[i % 64] = Buffer.allocUnsafeSlow(MIB);
    if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    mostMib = Math.max(mostMib, process.memoryUsage().arrayBuffers / MIB);
  }
  return mostMib;
}

/** How many collections of the whole heap there were since the last call. */
function majorCounter(t: { after(end: () => void): void }): () => Promise<number> {
  let count = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as unknown as { detail: { kind: number } }).detail;
      if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) count++;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  t.after(() => observer.disconnect());
  return async () => {
    // Entries come in a task of their own.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = count;
    count = 0;
    return now;
  };
}

test('the heap is searched less often than V8 does, and what lies is bounded', async (t) => {
  const majors = majorCounter(t);
  await litter(2000);
  const byItself = await majors();
  const garbage = startBufferGarbage();
  t.after(() => garbage.stop());
  const mostMib = await litter(2000);
  const ours = await majors();
  assert.ok(ours <= byItself / 2, `${ours} times instead of ${byItself}`);
  assert.ok(mostMib < 1000, `${mostMib} MiB of 2000`);
});
