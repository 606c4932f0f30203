import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Column, NativeBlock, StringColumn } from '../storage/clickhouse/native_column.ts';
import type { Select } from '../storage/clickhouse/select.ts';
import { computeSpm } from './spm.ts';

const OPERATIONS = 300;
const STEP_MS = 60_000;

/** Nothing is settled; operation n was called n + 1 times in the first minute. */
const select: Select = (statement, _signal, onBytes) => {
  onBytes?.(1000);
  const blocks = statement.sql.includes('AS settled')
    ? [blockOf(1, stateColumns())]
    : statement.sql.includes('.spans')
      ? [blockOf(OPERATIONS, countColumns())]
      : [];
  return Promise.resolve(blocks.values() as Generator<NativeBlock, void>);
};

const blockOf = (rows: number, columns: Record<string, Column>): NativeBlock =>
  new NativeBlock(rows, new Map(Object.entries(columns)));

const numbers = (count: number, of: (n: number) => number): Column => ({
  kind: 'number',
  values: Float64Array.from({ length: count }, (_, n) => of(n)),
});

function texts(list: readonly string[]): Column {
  const ends = Uint32Array.from(list, (_, i) => list.slice(0, i + 1).join('').length);
  const starts = Uint32Array.from(list, (_, i) => (i === 0 ? 0 : ends[i - 1]!));
  return new StringColumn(Buffer.from(list.join('')), starts, ends);
}

const stateColumns = (): Record<string, Column> => ({
  bucket: numbers(1, () => 0),
  settled: numbers(1, () => 0),
  clean: numbers(1, () => 0),
});

const countColumns = (): Record<string, Column> => ({
  service: texts(Array.from({ length: OPERATIONS }, () => 'shop')),
  name: texts(Array.from({ length: OPERATIONS }, (_, n) => `op ${n}`)),
  minute: numbers(OPERATIONS, () => 0),
  slot: numbers(OPERATIONS, () => -1),
  calls: {
    kind: 'big',
    values: BigUint64Array.from({ length: OPERATIONS }, (_, n) => BigInt(n + 1)),
  },
  errors: { kind: 'big', values: new BigUint64Array(OPERATIONS) },
});

async function ask(points: number, onBytes?: (bytes: number) => void) {
  const { series, timesUnixMs } = await computeSpm(
    select,
    {
      ...{ tenant: 'acme', metric: 'calls', services: ['shop'], kinds: [2], byOperation: true },
      ...{ quantile: 0, startUnixMs: STEP_MS, endUnixMs: points * STEP_MS },
      ...{ stepMs: STEP_MS, ratePerMs: STEP_MS },
    },
    undefined,
    onBytes,
  );
  assert.equal(timesUnixMs.length, points);
  return await Array.fromAsync(series);
}

test('of long series only those of the busiest operations are made, a million points in all', async () => {
  assert.equal((await ask(60)).length, OPERATIONS);
  const series = await ask(10_000);
  assert.equal(series.length, 100);
  assert.deepEqual([series.at(0)?.operation, series.at(-1)?.operation], ['op 200', 'op 299']);
  assert.equal(series[0]?.values.length, 10_000);
  assert.equal(series[0]?.values[0], 201 / 60);
});

test('what is read is told, and who has no room for it stops the reading', async () => {
  let bytes = 0;
  await ask(1, (more) => {
    bytes += more;
  });
  assert.equal(bytes, 3000);
  const full = (): never => {
    throw new Error('no room');
  };
  await assert.rejects(ask(1, full), /no room/);
});
