import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate } from './gate.ts';
import { refusalOf } from './refusal_of.ts';

test('whoever gives up while waiting for a turn is told so, and is no error of ours', async () => {
  const gate = new Gate();
  const { signal } = new AbortController();
  await Promise.all(Array.from({ length: 8 }, () => gate.enter(signal)));
  const gone = new AbortController();
  const waiting = gate.enter(gone.signal);
  gone.abort();
  const code = await waiting.catch((error: unknown) => refusalOf(error).code);
  assert.equal(code, 'deadline');
  const late = await gate.enter(AbortSignal.timeout(1)).catch(refusalOf);
  assert.deepEqual(late, {
    code: 'deadline',
    message: 'The request was given up before its answer was ready.',
  });
  assert.equal(refusalOf(new TypeError('a bug')).code, 'internal');
});
