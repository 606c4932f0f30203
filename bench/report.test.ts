import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCell, median, quantile, renderTable, thisMachine } from './report.ts';

test('a table aligns numbers to the right and text to the left', () => {
  const table = renderTable([
    { what: 'check', spansPerSecond: 1_234_567 },
    { what: 'decode everything', spansPerSecond: 40_000 },
  ]);
  assert.equal(
    table,
    [
      '  what               spansPerSecond',
      '  -----------------  --------------',
      '  check                   1,234,567',
      '  decode everything          40,000',
    ].join('\n'),
  );
});

test('a figure without a column leaves its cell empty', () => {
  const lines = renderTable([{ a: 'x' }, { b: 2 }]).split('\n');
  assert.deepEqual(lines.slice(2), ['  x', '     2']);
});

test('quantiles are values that were measured', () => {
  assert.equal(median([5, 1, 3]), 3);
  assert.equal(quantile([1, 2, 3, 4], 0.99), 4);
  assert.equal(quantile([1, 2, 3, 4], 0.25), 1);
  assert.equal(quantile([], 0.5), 0);
});

test('small numbers keep three digits and large ones none behind the point', () => {
  assert.equal(formatCell(0.123456), '0.123');
  assert.equal(formatCell(123_456.7), '123,457');
  assert.equal(formatCell(Number.POSITIVE_INFINITY), '-');
  assert.equal(formatCell('text'), 'text');
});

test('the machine names what a reader needs to compare', () => {
  const machine = thisMachine();
  assert.ok(machine.cores > 0);
  assert.equal(machine.node, process.version);
});
