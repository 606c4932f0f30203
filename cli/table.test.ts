import assert from 'node:assert/strict';
import { test } from 'node:test';
import { table } from './table.ts';

test('a table is as wide as its cells, and no line ends in blanks', () => {
  assert.equal(
    table(
      ['a', 'name'],
      [
        [100, 'x'],
        [2, 'longer'],
      ],
    ),
    'a    name\n100  x\n2    longer',
  );
});
