import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DeadLetter } from '../dead_letter.ts';
import { sendsOf } from './dead_letter_topic.ts';

const BYTES_MAX = 100_000;

function letter(offset: number, bytes: number, headerBytes = 0): DeadLetter {
  const source = { clusterId: 'c', topic: 't', topicId: 'id', partition: 0 };
  const headers = [{ key: 'h', value: new Uint8Array(headerBytes) }];
  const value = new Uint8Array(bytes);
  const record = { offset, timestampMs: 0, key: undefined, value, headers };
  return { source, record, reason: 'malformed' };
}

function offsets(letters: readonly DeadLetter[]): number[][] {
  return sendsOf(letters, BYTES_MAX).map((some) => some.map(({ record }) => record.offset));
}

describe('dead letters', () => {
  it('go in as many sends as the topic wants, in their order', () => {
    const letters = [0, 1, 2, 3, 4].map((offset) => letter(offset, 40_000));
    assert.deepEqual(offsets(letters), [[0, 1], [2, 3], [4]]);
  });

  it('are counted with their headers and what a record costs beside its value', () => {
    assert.deepEqual(offsets([letter(0, 10, 60_000), letter(1, 10, 60_000)]), [[0], [1]]);
    const small = Array.from({ length: 200 }, (_, offset) => letter(offset, 0));
    assert.equal(offsets(small).length, 3);
  });

  it('go alone where one is too large, and take no other along', () => {
    const letters = [letter(0, 10), letter(1, 200_000), letter(2, 10)];
    assert.deepEqual(offsets(letters), [[0], [1], [2]]);
  });

  it('are no send where there are none', () => {
    assert.deepEqual(offsets([]), []);
  });
});
