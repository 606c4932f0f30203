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

test('a name cannot do anything to a terminal, nor make a line of its own', () => {
  const names = ['\u001b]0;title\u0007', 'a\nb', '\u009b2J', '\u202eabc', 'Größe → 数'];
  const text = table(
    ['name'],
    names.map((name) => [name]),
  );
  assert.equal(text, 'name\n\ufffd]0;title\ufffd\na\ufffdb\n\ufffd2J\n\ufffdabc\nGröße → 数');
});
