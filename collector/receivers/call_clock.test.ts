import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallClock } from './call_clock.ts';
import { eventually } from './testing/raw_http.ts';

test('who is expected and does not come is told about once, who was forgotten never', async () => {
  const late: string[] = [];
  const clock = new CallClock<string>((call) => late.push(call));
  clock.expect('never', Infinity);
  clock.expect('forgotten', clock.nowMs);
  clock.expect('moved', clock.nowMs);
  clock.expect('due', clock.nowMs);
  clock.forget('forgotten');
  clock.expect('moved', clock.nowMs + 60_000);
  // Its timer does not keep a process alive; ours must, until it has fired.
  await eventually(() => late.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 120));
  assert.deepEqual(late, ['due']);
  clock.expect('later', clock.nowMs);
  await eventually(() => late.length === 2);
});
