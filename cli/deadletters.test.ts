import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from './command.ts';
import { listing, parse } from './deadletters.ts';

test('what to do, keys and settings are told apart', () => {
  assert.deepEqual(parse(['replay', 't:0:7', '--kafka-brokers', 'a:9092', 't-x:1:2']), {
    act: 'replay',
    keys: ['t:0:7', 't-x:1:2'],
    all: false,
    rest: ['--kafka-brokers', 'a:9092'],
  });
  assert.equal(parse(['drop', '--all']).all, true);
});

test('nothing is replayed or dropped that was not asked for', () => {
  assert.throws(() => parse(['drop']), UsageError);
  assert.throws(() => parse(['replay', '--kafka-brokers', 'a:9092']), /needs keys/);
  assert.throws(() => parse(['burn']), /list, replay, drop/);
});

test('letters are listed with reason, time and what they are written in', () => {
  assert.equal(listing([]), 'no dead letters');
  const letter = {
    key: 't:0:7',
    reason: 'empty',
    topic: 't',
    partition: 0,
    timestampMs: 0,
    bytes: 0,
    encoding: 'zipkin_json',
    at: { partition: 0, offset: 0 },
  };
  assert.match(
    listing([letter]),
    /^t:0:7 {2}empty {3}1970-01-01T00:00:00\.000Z {2}0 {6}zipkin_json$/m,
  );
});
