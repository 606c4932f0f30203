// The thread behind the UDP ports: what it hands on, what happens when it dies, and how it ends.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BroadcastChannel } from 'node:worker_threads';
import { MemoryBudget } from '../../service/memory_budget.ts';
import { RefusalError } from '../../service/refusal.ts';
import type { Batch } from '../batch.ts';
import { type JaegerUdpDeps, startJaegerUdp } from './jaeger_udp.ts';
import { datagramOf } from './testing/datagrams.ts';

const WAIT_MS = 20_000;

function rig(deps: Partial<JaegerUdpDeps> = {}) {
  const batches: Batch[] = [];
  const counted = new Map<string, number>();
  const bugs: unknown[] = [];
  let restarts = 0;
  const all: JaegerUdpDeps = {
    accept: (batch) => {
      batches.push(batch);
      return Promise.resolve({ spans: 1, rejected: 0, message: '' });
    },
    budget: new MemoryBudget(64 * 1024 * 1024),
    bufferBytes: 4 * 1024 * 1024,
    count: (port, outcome, datagrams) => {
      const key = `${port} ${outcome}`;
      counted.set(key, (counted.get(key) ?? 0) + datagrams);
    },
    receivedBytes: () => undefined,
    restarted: () => void restarts++,
    onBug: (error) => void bugs.push(error),
    ...deps,
  };
  const listen = (port = 0, host = '127.0.0.1') => ({ host, port, setting: 'listen.test' });
  return { all, batches, counted, bugs, restarts: () => restarts, listen };
}

async function send(port: number, ...datagrams: readonly Uint8Array[]): Promise<void> {
  const socket = createSocket('udp4');
  for (const datagram of datagrams) {
    await new Promise((resolve) => socket.send(datagram, port, '127.0.0.1', resolve));
  }
  await new Promise<void>((resolve) => socket.close(resolve));
}

async function until(what: () => boolean): Promise<void> {
  for (let waitedMs = 0; waitedMs < WAIT_MS && !what(); waitedMs += 5) await sleep(5);
  assert.ok(what(), `waited ${WAIT_MS} ms for ${what.toString()}`);
}

test('each port counts its own, and datagrams that come together become one request', async () => {
  const { all, batches, bugs, counted, listen } = rig();
  const udp = await startJaegerUdp(all, [listen(), listen()]);
  const [first = 0, second = 0] = udp.bound.map(({ port }) => port);
  await send(first, datagramOf(1), datagramOf(2), Buffer.from('garbage'));
  await send(second, datagramOf(3));
  await udp.stop(5000);
  assert.deepEqual(Object.fromEntries(counted), { '0 ok': 2, '0 malformed': 1, '1 ok': 1 });
  assert.ok(batches.length <= 3);
  assert.deepEqual(bugs, []);
  assert.equal(all.budget.usedBytes, 0);
});

test('what waits in the kernel when it is told to stop is still taken', async () => {
  const { all, counted, listen } = rig();
  const udp = await startJaegerUdp(all, [listen()]);
  const count = 50;
  await send(udp.bound[0]?.port ?? 0, ...Array.from({ length: count }, (_, i) => datagramOf(i)));
  await udp.stop(5000);
  assert.deepEqual(Object.fromEntries(counted), { '0 ok': count });
});

test('a port that is in use is named with its setting', async () => {
  const { all, listen } = rig();
  const udp = await startJaegerUdp(all, [listen()]);
  const taken = listen(udp.bound[0]?.port);
  await assert.rejects(startJaegerUdp(all, [taken]), {
    name: 'ListenError',
    message: `UDP port ${taken.port} on 127.0.0.1 is in use: stop what listens there, or change listen.test`,
  });
  await udp.stop(1000);
});

test('a store that is away is waited for as long as the grace, and what is left is lost', async () => {
  const refusal = { code: 'unavailable', message: 'no store', retryAfterMs: 1000 } as const;
  const { all, counted, listen } = rig({
    accept: () => Promise.reject(new RefusalError(refusal)),
  });
  const udp = await startJaegerUdp(all, [listen()]);
  await send(udp.bound[0]?.port ?? 0, datagramOf(1));
  await udp.stop(200);
  assert.deepEqual(Object.fromEntries(counted), { '0 lost': 1 });
  assert.equal(all.budget.usedBytes, 0);
});

test('a thread that died is followed by another one on the same port, and counted', async () => {
  const thread = new URL('./udp/testing/mortal_thread.ts', import.meta.url);
  const { all, bugs, counted, listen, restarts } = rig({ thread });
  const udp = await startJaegerUdp(all, [listen()]);
  const port = udp.bound[0]?.port ?? 0;
  await send(port, datagramOf(1));
  await until(() => counted.get('0 ok') === 1);
  const channel = new BroadcastChannel('mortal udp thread');
  channel.postMessage('die');
  channel.close();
  await until(() => restarts() === 1);
  assert.deepEqual(bugs.map(String), ['Error: told to die']);
  await send(port, datagramOf(2));
  await until(() => counted.get('0 ok') === 2);
  await udp.stop(1000);
  assert.equal(restarts(), 1);
});

test('a thread that dies as it is told to stop does not keep what waits from being stored', async () => {
  const thread = new URL('./udp/testing/dies_when_stopped.ts', import.meta.url);
  const stored = Promise.withResolvers<void>();
  const { all, bugs, batches, counted, listen } = rig({ thread });
  const accept = all.accept;
  const slow = async (batch: Batch) => {
    const accepted = await accept(batch);
    await stored.promise;
    return accepted;
  };
  const udp = await startJaegerUdp({ ...all, accept: slow }, [listen()]);
  await send(udp.bound[0]?.port ?? 0, datagramOf(1));
  await until(() => batches.length === 1);
  const stopped = udp.stop(5000);
  setTimeout(() => stored.resolve(), 300);
  await stopped;
  assert.deepEqual(Object.fromEntries(counted), { '0 ok': 1 });
  assert.deepEqual(bugs, []);
});
