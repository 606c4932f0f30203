import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Gatherer, type LooseRows } from './gatherer.ts';
import { type SkeletonRows, type Skeletons, Texts } from './skeletons.ts';

interface Row {
  readonly trace: number;
  readonly spanId: bigint;
  readonly start: bigint;
  readonly kind: number;
  readonly h: number;
}

/** Ids that differ in one half of one half only, so that looking at less would show. */
const IDS = [1n, 2n, 1n << 32n, (1n << 64n) - 1n];
const traceIds = () => ({
  traceHigh: BigUint64Array.of(0n, 1n << 32n, 0n, 7n),
  traceLow: BigUint64Array.from(IDS),
});

function loose(rows: readonly Row[]): LooseRows {
  const { traceHigh, traceLow } = traceIds();
  return {
    traceHigh: BigUint64Array.from(rows, (row) => traceHigh[row.trace]!),
    traceLow: BigUint64Array.from(rows, (row) => traceLow[row.trace]!),
    spanId: BigUint64Array.from(rows, (row) => row.spanId),
    parentId: BigUint64Array.from(rows, (row) => row.spanId ^ 1n),
    h: Uint32Array.from(rows, (row) => row.h),
    startUnixNanos: BigInt64Array.from(rows, (row) => row.start),
    durationNanos: BigInt64Array.from(rows, (row) => -row.start),
    service: Uint32Array.from(rows, (row) => row.h + 1),
    name: Uint32Array.from(rows, (row) => row.h + 2),
    kind: Uint8Array.from(rows, (row) => row.kind),
    status: Uint8Array.from(rows, (row) => row.kind + 1),
  };
}

function gather(parts: readonly (readonly Row[])[]): Skeletons {
  const gatherer = new Gatherer(traceIds(), new Texts());
  for (const part of parts) gatherer.add(loose(part));
  const steps = gatherer.finish();
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}

/** Of each trace, in order; checks that no column was left behind. */
function rowsOf({ rows, ends }: Skeletons): Row[][] {
  return Array.from(ends, (end, trace) =>
    Array.from({ length: end - (ends[trace - 1] ?? 0) }, (_, i) => {
      const at = (ends[trace - 1] ?? 0) + i;
      const row = rowAt(rows, trace, at);
      assert.equal(rows.parentId[at], row.spanId ^ 1n);
      assert.equal(rows.durationNanos[at], -row.start);
      assert.deepEqual([rows.service[at], rows.name[at]], [row.h + 1, row.h + 2]);
      assert.equal(rows.status[at], row.kind + 1);
      return row;
    }),
  );
}

function rowAt(rows: SkeletonRows, trace: number, at: number): Row {
  return {
    trace,
    spanId: rows.spanId[at]!,
    start: rows.startUnixNanos[at]!,
    kind: rows.kind[at]!,
    h: rows.h[at]!,
  };
}

const anyRow: fc.Arbitrary<Row> = fc
  .record({
    trace: fc.nat(IDS.length - 1),
    spanId: fc.oneof(fc.bigInt(1n, 4n), fc.bigInt(1n, 2n ** 64n - 1n)),
    start: fc.oneof(fc.bigInt(0n, 3n), fc.bigInt(2n ** 31n, 2n ** 33n)),
    kind: fc.integer({ min: 2, max: 3 }),
  })
  // As with real ones, what differs in a field differs in the hash.
  .map((row) => ({ ...row, h: Number((row.start * 7n + row.spanId) % 1000n) }));

const keyOf = ({ trace, start, spanId, kind, h }: Row): bigint =>
  (((BigInt(trace) * 2n ** 34n + start) * 2n ** 64n + spanId) * 8n + BigInt(kind)) * 1000n +
  BigInt(h);

test('whatever the order, the parts and the repetitions, each trace has its spans once and by start', () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyRow, { maxLength: 40 }), { maxLength: 4 }), (parts) => {
      const distinct = new Map(parts.flat().map((row) => [keyOf(row), row]));
      const expected = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
      const gathered = rowsOf(gather([...parts, ...parts]));
      assert.deepEqual(gathered.flat(), expected);
      assert.deepEqual(
        gathered.map((rows, trace) => rows.every((row) => row.trace === trace)),
        IDS.map(() => true),
      );
    }),
    { numRuns: 500 },
  );
});

test('a trace of 50,000 spans in reverse order, each twice, is sorted in pieces', () => {
  const rows = Array.from({ length: 50_000 }, (_, i): Row => {
    return { trace: 0, spanId: BigInt(i + 1), start: BigInt(50_000 - i), kind: 2, h: i };
  });
  const gathered = gather([rows, rows.toReversed()]);
  assert.equal(gathered.ends[3], 50_000);
  assert.equal(gathered.rows.startUnixNanos[0], 1n);
  assert.equal(gathered.rows.spanId[49_999], 1n);
});

test('a row of a trace that was not asked for is our fault, and so is an id asked for twice', () => {
  const gatherer = new Gatherer(
    { traceHigh: BigUint64Array.of(0n), traceLow: BigUint64Array.of(1n) },
    new Texts(),
  );
  assert.throws(
    () => gatherer.add(loose([{ trace: 1, spanId: 1n, start: 1n, kind: 2, h: 1 }])),
    /traces that were asked for/,
  );
  const twice = BigUint64Array.of(1n, 1n);
  assert.throws(() => new Gatherer({ traceHigh: twice, traceLow: twice }, new Texts()), /once/);
});
