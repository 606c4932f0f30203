import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { systemClock } from './clock.ts';
import { Lifecycle, type Part, runService } from './lifecycle.ts';
import { type Log, silentLog } from './log.ts';

const GRACE_MS = 1000;

function remember(told: string[]): Log {
  return { ...silentLog, error: (message, fields) => told.push(`${message} ${fields?.['part']}`) };
}

function part(order: string[], name: string): () => Part {
  return () => {
    order.push(`start ${name}`);
    return { stop: () => void order.push(`stop ${name}`) };
  };
}

test('parts stop in the reverse of the order in which they started', async () => {
  const order: string[] = [];
  const life = new Lifecycle(silentLog, GRACE_MS);
  for (const name of ['store', 'ingester', 'collector']) await life.start(name, part(order, name));
  await life.stop();
  assert.deepEqual(order.slice(3), ['stop collector', 'stop ingester', 'stop store']);
});

test('the grace is one for all: a slow part leaves less to those after it', async () => {
  const graces: number[] = [];
  const life = new Lifecycle(silentLog, 200);
  await life.start('first', () => ({ stop: (graceMs) => void graces.push(graceMs) }));
  await life.start('slow', () => ({
    stop: (graceMs) => {
      graces.push(graceMs);
      return new Promise<void>((resolve) => setTimeout(resolve, 100));
    },
  }));
  await life.stop();
  assert.ok((graces[0] ?? 0) > 150);
  assert.ok((graces[1] ?? 999) <= 101, String(graces[1]));
});

test('a part that throws, or never ends, is logged and does not keep the others', async () => {
  const told: string[] = [];
  const order: string[] = [];
  const life = new Lifecycle(remember(told), 10);
  await life.start('good', part(order, 'good'));
  await life.start('hung', () => ({ stop: () => new Promise<void>(() => undefined) }));
  await life.start('broken', () => ({ stop: () => Promise.reject(new Error('no')) }));
  await life.stop();
  assert.deepEqual(told, [
    'a part did not stop cleanly broken',
    'a part did not stop in time hung',
  ]);
  assert.equal(order.at(-1), 'stop good');
});

test('a service runs until SIGTERM, becomes unready first, and ends with 0', async () => {
  const events = new EventEmitter();
  const order: string[] = [];
  const running = runService({
    log: silentLog,
    graceMs: GRACE_MS,
    start: async (life) => {
      await life.start('store', part(order, 'store'));
    },
    draining: () => order.push('draining'),
    events,
  });
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(order, ['start store']);
  events.emit('SIGTERM');
  assert.equal(await running, 0);
  assert.deepEqual(order, ['start store', 'draining', 'stop store']);
  assert.equal(events.eventNames().length, 0, 'listeners are taken away again');
});

test('a second signal ends the process at once, unless it is the echo of the first', async () => {
  const events = new EventEmitter();
  const codes: number[] = [];
  const released = Promise.withResolvers<void>();
  let nowMs = 0;
  const running = runService({
    log: silentLog,
    graceMs: GRACE_MS,
    start: async (life) => {
      await life.start('slow', () => ({ stop: () => released.promise }));
    },
    events,
    clock: { ...systemClock, monotonicMs: () => nowMs },
    exit: (code) => codes.push(code),
  });
  await new Promise((resolve) => setTimeout(resolve, 10));
  events.emit('SIGINT');
  nowMs = 5;
  events.emit('SIGINT');
  assert.deepEqual(codes, [], 'npm passes on what the terminal has sent already');
  nowMs = 2000;
  events.emit('SIGTERM');
  assert.deepEqual(codes, [1]);
  released.resolve();
  await running;
});

test('a start that fails stops what had started, and ends with 1', async () => {
  const order: string[] = [];
  const told: string[] = [];
  const code = await runService({
    log: remember(told),
    graceMs: GRACE_MS,
    start: async (life) => {
      await life.start('store', part(order, 'store'));
      throw new Error('port 4317 is in use');
    },
    events: new EventEmitter(),
  });
  assert.equal(code, 1);
  assert.deepEqual(order, ['start store', 'stop store']);
  assert.match(told[0] ?? '', /^cannot start: port 4317 is in use/);
});

test('a rejection that nobody handled is logged and ends the process with 1', async () => {
  const events = new EventEmitter();
  const codes: number[] = [];
  const told: string[] = [];
  const running = runService({
    log: remember(told),
    graceMs: GRACE_MS,
    start: async () => undefined,
    events,
    exit: (code) => codes.push(code),
  });
  await new Promise((resolve) => setTimeout(resolve, 10));
  events.emit('unhandledRejection', new Error('lost'));
  assert.deepEqual(codes, [1]);
  assert.match(told[0] ?? '', /nobody handled/);
  events.emit('SIGTERM');
  await running;
});

test('a signal during a slow start stops what is up, and what comes up late', async () => {
  const events = new EventEmitter();
  const order: string[] = [];
  const slow = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const running = runService({
    log: silentLog,
    graceMs: GRACE_MS,
    start: async (life) => {
      await life.start('store', part(order, 'store'));
      started.resolve();
      await slow.promise;
      await life.start('late', part(order, 'late'));
    },
    events,
  });
  await started.promise;
  events.emit('SIGTERM');
  assert.equal(await running, 0);
  assert.deepEqual(order, ['start store', 'stop store']);
  slow.resolve();
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(order.slice(2), ['start late', 'stop late']);
});
