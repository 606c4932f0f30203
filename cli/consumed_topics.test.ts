import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../service/config.ts';
import { consumedTopics } from './consumed_topics.ts';

function topicsOf(...flags: readonly string[]) {
  return consumedTopics(loadConfig(flags, {}).config);
}

test('our own topic is read as headers say, each foreign one in a group of its own', () => {
  assert.deepEqual(topicsOf('--kafka-foreign-topics', 'zipkin:zipkin_json:shop'), [
    {
      topic: 'spanhouse-spans',
      group: 'spanhouse-ingester',
      encoding: 'otlp_proto',
      tenant: undefined,
      isOurs: true,
    },
    {
      topic: 'zipkin',
      group: 'spanhouse-ingester.zipkin',
      encoding: 'zipkin_json',
      tenant: 'shop',
      isOurs: false,
    },
  ]);
});

test('a topic of ours is no foreign one', () => {
  const own = 'spanhouse-spans:otlp_proto';
  assert.throws(() => topicsOf('--kafka-foreign-topics', own), /which is kafka\.topic: expected/);
  const dead = 'spanhouse-dead-letters:otlp_proto';
  assert.throws(() => topicsOf('--kafka-foreign-topics', dead), /is kafka\.dead_letter_topic/);
});
