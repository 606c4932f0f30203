// Some seconds of mutated requests; fuzz.slow.test.ts does a million of each format.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadTranscoder } from '../otlp/transcoder.ts';
import { DECODERS, type FuzzedFormat, fuzz } from './testing/fuzz.ts';

const AGE_SECONDS = 1e9;

for (const format of Object.keys(DECODERS) as FuzzedFormat[]) {
  test(`mutated ${format} requests are translated or refused`, async () => {
    const transcoder = await loadTranscoder();
    const report = fuzz(format, {
      seed: 20261123,
      executions: 20_000,
      secondsMax: 10,
      check: (bytes) => {
        const result = transcoder.check(bytes, 1_800_000_000_000_000_000n, AGE_SECONDS);
        return result.ok ? undefined : `the walk refused: ${result.message}`;
      },
    });
    assert.deepEqual(report.faults, []);
    assert.ok(report.refused > 0 && report.refused < report.executions);
  });
}
