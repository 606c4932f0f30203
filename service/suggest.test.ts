import assert from 'node:assert/strict';
import { test } from 'node:test';
import { didYouMean, nearest } from './suggest.ts';

const WORDS = ['all-in-one', 'collector', 'ingester', 'query', 'migrate'];

test('a slip of a letter or two finds the word that was meant', () => {
  assert.equal(nearest('colector', WORDS), 'collector');
  assert.equal(nearest('qurey', WORDS), 'query');
  assert.equal(nearest('querry', WORDS), 'query');
  assert.equal(nearest('ALL-IN-ONE', WORDS), 'all-in-one');
});

test('another word altogether suggests nothing', () => {
  assert.equal(nearest('banana', WORDS), undefined);
  assert.equal(nearest('x'.repeat(10_000), WORDS), undefined);
  assert.equal(didYouMean('banana', WORDS), '');
});

test('the suggestion reads as the end of a sentence', () => {
  assert.equal(didYouMean('migrat', WORDS), ', did you mean migrate?');
});
