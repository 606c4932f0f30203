import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusJson, statusProto } from './status_proto.ts';
import { decodeStatus } from './testing/proto_root.ts';

test('a final status has a code and a sentence, and nothing to retry', () => {
  const status = { code: 8, message: 'größer als erlaubt' };
  assert.deepEqual(decodeStatus(statusProto(status)), {
    ...status,
    retryMs: undefined,
    violations: [],
  });
  assert.deepEqual(JSON.parse(statusJson(status)), status);
});

test('a retryable status says when, to the millisecond', () => {
  for (const retryAfterMs of [0, 1, 999, 1000, 1500, 86_400_000]) {
    const status = { code: 14, message: 'busy', retryAfterMs };
    assert.equal(decodeStatus(statusProto(status)).retryMs, retryAfterMs);
  }
  assert.deepEqual(
    JSON.parse(statusJson({ code: 14, message: 'busy', retryAfterMs: 1500 })).details,
    [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1.5s' }],
  );
});

test('a malformed request is told what was wrong as a BadRequest', () => {
  const status = { code: 3, message: 'no', violation: 'spans[0].name must be a string' };
  assert.deepEqual(decodeStatus(statusProto(status)).violations, [status.violation]);
  assert.deepEqual(JSON.parse(statusJson(status)).details, [
    {
      '@type': 'type.googleapis.com/google.rpc.BadRequest',
      fieldViolations: [{ description: status.violation }],
    },
  ]);
});
