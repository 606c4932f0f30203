import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigError, loadConfig } from './config.ts';
import { printConfig } from './config_print.ts';
import { foreignTopics } from './foreign_topics.ts';

const ZIPKIN = { topic: 'zipkin', encoding: 'zipkin_json', tenant: 'default' };
const JAEGER = { topic: 'jaeger-spans', encoding: 'jaeger_proto', tenant: 'shop' };

test('foreign topics come as text, or as sections of a file', (t) => {
  const text = 'zipkin:zipkin_json, jaeger-spans:jaeger_proto:shop';
  assert.deepEqual(foreignTopics.parse(text), [ZIPKIN, JAEGER]);
  assert.deepEqual(foreignTopics.parse(''), []);
  const directory = mkdtempSync(join(tmpdir(), 'spanhouse-topics-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'a.yaml');
  writeFileSync(
    path,
    'kafka:\n  foreign_topics:\n    - topic: zipkin\n      encoding: zipkin_json\n' +
      '    - { topic: jaeger-spans, encoding: jaeger_proto, tenant: shop }\n',
  );
  const loaded = loadConfig(['--config', path], {});
  assert.deepEqual(loaded.config.kafka.foreign_topics, [ZIPKIN, JAEGER]);
  // What is printed can be used as a file again.
  writeFileSync(path, printConfig(loaded));
  assert.deepEqual(loadConfig(['--config', path], {}).config, loaded.config);
  const env = { SPANHOUSE_KAFKA_FOREIGN_TOPICS: text };
  assert.deepEqual(loadConfig([], env).config.kafka.foreign_topics, [ZIPKIN, JAEGER]);
});

test('each mistake in a foreign topic is named', () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ['zipkin', /topic 1: one of otlp_proto, .*zipkin_thrift was expected as encoding of zipkin/],
    ['a:otlp_json,b:zipkin', /topic 2: one of .* was expected as encoding of b/],
    ['a:otlp_json:', /topic 1: 1 to 128 letters.* as tenant of a/],
    ['a:otlp_json:b:c', /without a further colon/],
    ['a b:otlp_json', /topic 1: a name of 1 to 200 .* as topic/],
    ['a:otlp_json,a:otlp_proto', /topic 2: another topic than a was expected/],
    [[{ topic: 'a', encoding: 'otlp_json', tenent: 'b' }], /no other keys than topic, enc/],
    [[['a']], /a section with topic, encoding and tenant/],
    [7, /a list of topics/],
    [Array.from({ length: 17 }, (_, i) => `t${i}:otlp_json`), /at most 16 topics/],
  ];
  for (const [raw, expected] of cases) {
    assert.equal(foreignTopics.parse(raw), undefined, String(raw));
    assert.match(foreignTopics.explain?.(raw) ?? '', expected);
  }
  assert.throws(
    () => loadConfig(['--kafka-foreign-topics', 'zipkin:json'], {}),
    (error: unknown) =>
      error instanceof ConfigError &&
      /^kafka\.foreign_topics: topic 1: one of .* came \(from --kafka-foreign-topics\)$/.test(
        error.problems[0] ?? '',
      ),
  );
});
