import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAnnotationQuery } from './annotation_query.ts';

function parsed(text: string): [Record<string, string>, string[]] {
  const { tags, words } = parseAnnotationQuery(text);
  return [Object.fromEntries(tags), [...words]];
}

test('terms stand between " and ", a key ends at its first "="', () => {
  assert.deepEqual(parsed('error and http.method=GET'), [{ 'http.method': 'GET' }, ['error']]);
  assert.deepEqual(parsed('a=b=c and sand=and'), [{ a: 'b=c', sand: 'and' }, []]);
  assert.deepEqual(parsed('brand and land'), [{}, ['brand', 'land']]);
  assert.deepEqual(parsed('a AND b'), [{}, ['a AND b']]);
  assert.deepEqual(parsed('a  and  b'), [{}, ['a', 'b']]);
});

test('texts are trimmed, keys that are empty are left out, a value that is empty is none', () => {
  assert.deepEqual(parsed('  a = b c '), [{ a: 'b c' }, []]);
  assert.deepEqual(parsed('=b and  and a='), [{}, ['a']]);
  assert.deepEqual(parsed(''), [{}, []]);
});

test('the last value of a key counts, and a word does not undo it', () => {
  assert.deepEqual(parsed('a=1 and a=2 and a'), [{ a: '2' }, []]);
  assert.deepEqual(parsed('a and a=2'), [{ a: '2' }, []]);
});

test('what nobody types is refused before anything is asked', () => {
  const { message } = refusal(Array(1000).fill('a').join(' and '));
  assert.equal(message, 'annotationQuery has 1000 terms: at most 32 may be given');
  assert.match(refusal('k'.repeat(1_000_000)).message, /key of 1000000 characters/);
  assert.match(refusal(`k=${'v'.repeat(1_000_000)}`).message, /value of 1000000 characters/);
});

function refusal(text: string): Error {
  try {
    parseAnnotationQuery(text);
  } catch (error) {
    return error as Error;
  }
  return assert.fail('it was taken');
}
