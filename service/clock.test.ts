import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SLEEP_MS_MAX, systemClock } from './clock.ts';

test('a sleep ends early, and without an error, when its signal is aborted', async () => {
  const controller = new AbortController();
  const startMs = systemClock.monotonicMs();
  setTimeout(() => controller.abort(), 10);
  await systemClock.sleep(60_000, controller.signal);
  assert.ok(systemClock.monotonicMs() - startMs < 10_000);
});

test('a sleep with an aborted signal does not wait at all', async () => {
  await systemClock.sleep(60_000, AbortSignal.abort());
});

test('a sleep longer than a timer can hold does not fire at once', async () => {
  const controller = new AbortController();
  let woke = false;
  const sleeping = systemClock.sleep(SLEEP_MS_MAX * 10, controller.signal).then(() => {
    woke = true;
  });
  await systemClock.sleep(20);
  assert.equal(woke, false);
  controller.abort();
  await sleeping;
});
