import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillIn } from './corpus.ts';
import { statements, VARIANTS } from './variants.ts';

test('every variant still finds the places in the schema that it edits', () => {
  const names = VARIANTS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const variant of VARIANTS) assert.ok(statements(variant, 'd').length > 8, variant.name);
});

test('every variant that edits or leaves out something differs from the schema', () => {
  const schema = statements({ name: 'schema', about: '', edits: [] }, 'd').join('\n');
  for (const variant of VARIANTS) {
    const differs = statements(variant, 'd').join('\n') !== schema;
    const changes = variant.name !== 'schema' && variant.insertSettings === undefined;
    assert.equal(differs, changes, variant.name);
  }
});

test('an edit whose text is gone from the schema is an error, not the schema once more', () => {
  const stale = { name: 'stale', about: '', edits: [['no such text', 'x']] } as const;
  assert.throws(() => statements(stale, 'd'), /the schema has no "no such text"/);
});

test('a placeholder without a value is an error', () => {
  assert.equal(fillIn('SELECT {{a}}, {{a}}', { a: '1' }), 'SELECT 1, 1');
  assert.throws(() => fillIn('SELECT {{b}}', { a: '1' }), /\{\{b\}\}/);
});
