import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrongImportsOf } from './import_direction.ts';

/** The specifiers are put in here, so that the checker does not find them in this file. */
function source(statements: string, ...specifiers: readonly string[]): string {
  return specifiers.reduce((text, specifier) => text.replace('%', `'${specifier}'`), statements);
}

test('an import along the direction is fine, in every form', () => {
  const text = source(
    'import { a } from %; import type { B } from %; import %; export { c } from %; import(%);',
    '../model/a.ts',
    '../storage/b.ts',
    './local.ts',
    './deeper/c.ts',
    '../service/d.ts',
  );
  assert.deepEqual(wrongImportsOf('collector/x.ts', text), []);
});

test('an import against the direction is named with its file', () => {
  const text = source('import { y } from %;', '../../collector/y.ts');
  assert.deepEqual(wrongImportsOf('query/api/x.ts', text), [
    'query/api/x.ts: query may import model, storage, service; not collector (../../collector/y.ts)',
  ]);
});

test('a dynamic import, a re-export and a bare import count as well', () => {
  const wrong = (file: string, statement: string, to: string): number =>
    wrongImportsOf(file, source(statement, to)).length;
  assert.equal(wrong('model/x.ts', 'await import(%)', '../service/y.ts'), 1);
  assert.equal(wrong('service/x.ts', 'export * from %', '../model/y.ts'), 1);
  assert.equal(wrong('integration/x.ts', 'import %', '../cli/y.ts'), 1);
});

test('a new top-level folder needs a decision first', () => {
  assert.match(wrongImportsOf('common/x.ts', '')[0] ?? '', /common is no folder of ours/);
});
