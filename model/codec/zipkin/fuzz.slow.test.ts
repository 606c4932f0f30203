// A million mutated requests a format, from a new seed each time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadTranscoder } from '../otlp/transcoder.ts';
import { DECODERS, type FuzzedFormat, fuzz } from './testing/fuzz.ts';

const AGE_SECONDS = 1e9;
const EXECUTIONS = 1_000_000;
/** A stall of the event loop that nobody should notice (design, P8). */
const STALL_MS = 250;

for (const format of Object.keys(DECODERS) as FuzzedFormat[]) {
  test(`a million mutated ${format} requests do no harm`, async (context) => {
    const transcoder = await loadTranscoder();
    const seed = Date.now() % 2 ** 31;
    context.diagnostic(`seed ${seed}`);
    const report = fuzz(format, {
      seed,
      executions: EXECUTIONS,
      secondsMax: Number.POSITIVE_INFINITY,
      check: (bytes) => {
        const result = transcoder.check(bytes, 1_800_000_000_000_000_000n, AGE_SECONDS);
        return result.ok ? undefined : `the walk refused: ${result.message}`;
      },
    });
    assert.deepEqual(report.faults, [], `seed ${seed}`);
    assert.equal(report.executions, EXECUTIONS);
    assert.ok(report.slowestMs < STALL_MS, `${report.slowestMs} ms, seed ${seed}`);
  });
}
