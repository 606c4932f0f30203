import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type SplitPart, splitRequest } from './split.ts';
import { MAX_AGE_SECONDS, plainRequest, RECORD_UNIX_NANOS } from './testing/request_arbitrary.ts';
import { encodeRequest } from './testing/request_encoder.ts';
import { checkTwin, rowsTwin } from './twin.ts';

const WINDOW = { recordUnixNanos: RECORD_UNIX_NANOS, maxAgeSeconds: MAX_AGE_SECONDS };

function rowsOf(requests: readonly Uint8Array[]) {
  const record = { tenant: 't', recordUnixNanos: RECORD_UNIX_NANOS };
  const records = requests.map((bytes) => ({ ...record, bytes }));
  return rowsTwin(records, MAX_AGE_SECONDS);
}

function split(request: Uint8Array, bytesMax: number): SplitPart[] {
  return [...splitRequest(request, bytesMax)];
}

test('the parts have the same rows as the request, wherever it is cut', () => {
  fc.assert(
    fc.property(plainRequest, fc.integer({ min: 200, max: 20_000 }), (plain, bytesMax) => {
      const request = encodeRequest(plain);
      const whole = rowsOf([request]);
      const parts = split(request, bytesMax);
      const rows = rowsOf(parts.map(({ bytes }) => bytes));
      for (const { bytes } of parts) assert.ok(bytes.length <= bytesMax);
      const kept = parts.reduce((sum, { spans }) => sum + spans, 0);
      const all = whole.counts.spans + total(whole.counts.rejected);
      assert.ok(kept <= all);
      if (kept === all) assert.deepEqual(rows.rows, whole.rows);
    }),
    { numRuns: 400 },
  );
});

test('with room for the largest span with its heads, no span is left out', () => {
  fc.assert(
    fc.property(plainRequest, (plain) => {
      const request = encodeRequest(plain);
      const bytesMax = 2 * request.length + 64;
      const parts = split(request, bytesMax);
      assert.ok(parts.length <= 1);
      assert.deepEqual(rowsOf(parts.map(({ bytes }) => bytes)).rows, rowsOf([request]).rows);
    }),
  );
});

function requestOf(spanBytes: readonly number[], resourceBytes = 10): Uint8Array {
  return encodeRequest({
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: 'shop' } },
            { key: 'pad', value: { stringValue: 'r'.repeat(resourceBytes) } },
          ],
        },
        scopeSpans: [
          {
            scope: { name: 'lib' },
            spans: spanBytes.map((length, i) => ({
              traceId: new Uint8Array(16).fill(i + 1),
              spanId: new Uint8Array(8).fill(i + 1),
              startTimeUnixNano: String(RECORD_UNIX_NANOS),
              name: 'n'.repeat(length),
            })),
          },
        ],
      },
    ],
  });
}

test('every part carries the resource and the scope of its spans', () => {
  const request = requestOf(Array.from({ length: 20 }, () => 500));
  const parts = split(request, 2000);
  assert.ok(parts.length > 5);
  const { rows } = rowsOf(parts.map(({ bytes }) => bytes));
  assert.deepEqual(rows, rowsOf([request]).rows);
});

test('a span that fits into no part is left out, and its neighbours are kept', () => {
  const request = requestOf([100, 5000, 100]);
  const parts = split(request, 2000);
  assert.deepEqual(
    parts.map(({ spans }) => spans),
    [2],
  );
});

test('spans under a head of more than half a part are left out: parts would multiply', () => {
  assert.deepEqual(split(requestOf([100, 100], 1200), 2000), []);
});

test('parts hold a few times the bytes that came, also under large heads', () => {
  const request = requestOf(
    Array.from({ length: 200 }, () => 520),
    900,
  );
  const parts = split(request, 2000);
  const bytes = parts.reduce((sum, part) => sum + part.bytes.length, 0);
  assert.equal(
    parts.reduce((sum, { spans }) => sum + spans, 0),
    200,
  );
  assert.ok(bytes < 5 * request.length, `${bytes} of ${request.length}`);
});

test('a part is valid by itself', () => {
  for (const { bytes, spans } of split(requestOf([600, 700, 800, 900]), 2000)) {
    const checked = checkTwin(bytes, WINDOW);
    assert.ok(checked.ok && checked.spans === spans);
  }
});

test('bytes that no check has passed end in a RangeError, never in a loop', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        split(bytes, 100);
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
      }
    }),
  );
});

function total(rejected: Readonly<Record<string, number>>): number {
  return Object.values(rejected).reduce((sum, count) => sum + count, 0);
}
