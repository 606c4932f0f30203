import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FUTURE_SECONDS_MAX, RESOURCE_BYTES_MAX, SPAN_BYTES_MAX } from '../../../limits.ts';
import { noneRejected, REJECT_REASONS, type RejectReason } from '../check_result.ts';
import {
  field,
  fixed64Field,
  NOON,
  requestOf,
  requestUnder,
  spanMessage,
} from '../testing/wire_bytes.ts';
import { checkTwin } from '../twin.ts';

const SECOND = 1_000_000_000n;
const MAX_AGE_SECONDS = 3600;
const NONE = new Uint8Array(0);

function verdict(bytes: Uint8Array, recordUnixNanos = NOON): RejectReason | 'kept' {
  const result = checkTwin(bytes, { recordUnixNanos, maxAgeSeconds: MAX_AGE_SECONDS });
  assert.ok(result.ok);
  const reasons = REJECT_REASONS.filter((reason) => result.rejected[reason] === 1);
  assert.equal(result.spans + reasons.length, 1);
  return reasons[0] ?? 'kept';
}

/** Length of a message that is `bytes` long with its one field of padding. */
function padding(bytes: number, before = 0): Uint8Array {
  const overhead = field(1000, new Uint8Array(bytes)).length - bytes;
  return field(1000, new Uint8Array(bytes - before - overhead));
}

test('a span over its limit is rejected, one of just that size is kept', () => {
  const size = spanMessage().length;
  const fits = spanMessage(padding(SPAN_BYTES_MAX, size));
  assert.equal(fits.length, SPAN_BYTES_MAX);
  assert.equal(verdict(requestOf(fits)), 'kept');
  const over = spanMessage(padding(SPAN_BYTES_MAX + 1, size));
  assert.equal(verdict(requestOf(over)), 'span_too_large');
});

test('trace ids are sixteen bytes that are not all zero', () => {
  for (const length of [0, 8, 15, 17, 32]) {
    const id = new Uint8Array(length).fill(1);
    assert.equal(verdict(requestOf(spanMessage(field(1, id)))), 'bad_trace_id', `${length}`);
  }
  assert.equal(verdict(requestOf(spanMessage(field(1, new Uint8Array(16))))), 'bad_trace_id');
  assert.equal(verdict(requestOf(field(2, 'x'))), 'bad_trace_id', 'none sent');
  const last = new Uint8Array(16);
  last[15] = 1;
  assert.equal(verdict(requestOf(spanMessage(field(1, last)))), 'kept');
});

test('span ids are eight bytes that are not all zero', () => {
  for (const length of [0, 7, 9, 16]) {
    const id = new Uint8Array(length).fill(1);
    assert.equal(verdict(requestOf(spanMessage(field(2, id)))), 'bad_span_id', `${length}`);
  }
  assert.equal(verdict(requestOf(spanMessage(field(2, new Uint8Array(8))))), 'bad_span_id');
});

test('parent ids are eight bytes or none; zeros mean none', () => {
  for (const length of [1, 7, 9, 16]) {
    const id = new Uint8Array(length);
    assert.equal(verdict(requestOf(spanMessage(field(4, id)))), 'bad_parent_id', `${length}`);
  }
  assert.equal(verdict(requestOf(spanMessage(field(4, NONE)))), 'kept');
  assert.equal(verdict(requestOf(spanMessage(field(4, new Uint8Array(8))))), 'kept');
});

test('a span may start as long before its record as the age allows, to the nanosecond', () => {
  const oldest = NOON - BigInt(MAX_AGE_SECONDS) * SECOND;
  assert.equal(verdict(requestOf(spanMessage(fixed64Field(7, oldest)))), 'kept');
  assert.equal(verdict(requestOf(spanMessage(fixed64Field(7, oldest - 1n)))), 'too_old');
  assert.equal(verdict(requestOf(spanMessage(fixed64Field(7, 0n)))), 'too_old');
});

test('a span may start a day after its record, to the nanosecond', () => {
  const newest = NOON + BigInt(FUTURE_SECONDS_MAX) * SECOND;
  assert.equal(verdict(requestOf(spanMessage(fixed64Field(7, newest)))), 'kept');
  assert.equal(verdict(requestOf(spanMessage(fixed64Field(7, newest + 1n)))), 'too_new');
  const unsigned = 2n ** 64n - 1n;
  assert.equal(verdict(requestOf(spanMessage(fixed64Field(7, unsigned)))), 'too_new');
});

test('a record of the first hour of 1970 has no span that is too old', () => {
  assert.equal(verdict(requestOf(spanMessage(fixed64Field(7, 0n))), 5n * SECOND), 'kept');
});

test('spans of a resource or scope over the limit are rejected, also when it comes after them', () => {
  const fits = padding(RESOURCE_BYTES_MAX);
  const over = padding(RESOURCE_BYTES_MAX + 1);
  assert.equal(fits.length, RESOURCE_BYTES_MAX);
  assert.equal(verdict(requestUnder(fits, fits, spanMessage())), 'kept');
  assert.equal(verdict(requestUnder(over, NONE, spanMessage())), 'resource_too_large');
  assert.equal(verdict(requestUnder(NONE, over, spanMessage())), 'resource_too_large');
  const late = field(1, field(2, field(2, spanMessage())), field(1, over));
  assert.equal(verdict(late), 'resource_too_large');
  const replaced = field(1, field(1, over), field(1), field(2, field(2, spanMessage())));
  assert.equal(verdict(replaced), 'kept', 'the last resource counts');
});

test('of several reasons the first one in order counts', () => {
  const over = padding(RESOURCE_BYTES_MAX + 1);
  const faults: [RejectReason, Uint8Array][] = [
    ['span_too_large', padding(SPAN_BYTES_MAX)],
    ['bad_trace_id', field(1, 'short')],
    ['bad_span_id', field(2, 'short')],
    ['bad_parent_id', field(4, 'short')],
    ['too_old', fixed64Field(7, 1n)],
  ];
  for (const [i, [reason]] of faults.entries()) {
    const rest = faults.slice(i).map(([, fault]) => fault);
    assert.equal(verdict(requestUnder(over, NONE, spanMessage(...rest))), reason);
  }
  const late = spanMessage(fixed64Field(7, NOON * 2n));
  assert.equal(verdict(requestUnder(over, NONE, late)), 'too_new');
});

test('the rest of the request goes on, and every span is counted once', () => {
  const spans = [
    ...[spanMessage(), spanMessage(field(2, 'x')), spanMessage(), spanMessage(field(1, 'x'))],
    ...[spanMessage(fixed64Field(7, 3n)), spanMessage(field(2, 'x'))],
  ];
  assert.deepEqual(
    checkTwin(requestOf(...spans), { recordUnixNanos: NOON, maxAgeSeconds: MAX_AGE_SECONDS }),
    {
      ok: true,
      spans: 2,
      rejected: { ...noneRejected(), bad_trace_id: 1, bad_span_id: 2, too_old: 1 },
    },
  );
});
