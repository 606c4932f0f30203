// The setting kafka.foreign_topics: topics that others write, each with what is in it and whose it
// is. `topic:encoding[:tenant]` in a flag or a variable; in YAML also {topic, encoding, tenant}.

import type { Kind } from './config_values.ts';

/** By the names that the Kafka exporters of the OpenTelemetry Collector and of Jaeger v2 have. */
export const FOREIGN_ENCODINGS = [
  'otlp_proto',
  'otlp_json',
  'jaeger_proto',
  'jaeger_json',
  'zipkin_json',
  'zipkin_proto',
  'zipkin_thrift',
] as const;

export interface ForeignTopic {
  readonly topic: string;
  readonly encoding: (typeof FOREIGN_ENCODINGS)[number];
  /** Every record's, whatever its headers say. */
  readonly tenant: string;
}

/** Each is a consumer group and, for each partition, a stream of inserts of its own. */
const TOPICS_MAX = 16;

const DEFAULT_TENANT = 'default';

/** Shorter than Kafka's 249, as it becomes a part of the group's name. */
const TOPIC = /^[A-Za-z0-9._-]{1,200}$/;
const TENANT = /^[A-Za-z0-9._-]{1,128}$/;

const KEYS: readonly string[] = ['topic', 'encoding', 'tenant'];

export const foreignTopics: Kind<readonly ForeignTopic[]> = {
  expected: 'topic:encoding or topic:encoding:tenant, comma between two',
  placeholder: 'topic:encoding[:tenant],…',
  parse: (raw) => {
    const read = readAll(raw);
    return typeof read === 'string' ? undefined : read;
  },
  explain: (raw) => {
    const read = readAll(raw);
    return typeof read === 'string' ? read : undefined;
  },
};

/** The topics, or what is wrong with the first that is wrong. */
function readAll(raw: unknown): readonly ForeignTopic[] | string {
  const entries = entriesOf(raw);
  if (entries === undefined) return 'a list of topics was expected, each topic:encoding:tenant';
  if (entries.length > TOPICS_MAX) return `at most ${TOPICS_MAX} topics were expected`;
  const topics: ForeignTopic[] = [];
  for (const [i, entry] of entries.entries()) {
    const topic = readOne(entry);
    if (typeof topic === 'string') return `topic ${i + 1}: ${topic}`;
    if (topics.some((earlier) => earlier.topic === topic.topic)) {
      return `topic ${i + 1}: another topic than ${topic.topic} was expected, which came before`;
    }
    topics.push(topic);
  }
  return topics;
}

function entriesOf(raw: unknown): readonly unknown[] | undefined {
  if (Array.isArray(raw)) return raw;
  if (typeof raw !== 'string') return undefined;
  return raw
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function readOne(entry: unknown): ForeignTopic | string {
  const parts = partsOf(entry);
  if (typeof parts === 'string') return parts;
  const { topic, encoding: name, tenant = DEFAULT_TENANT } = parts;
  if (typeof topic !== 'string' || !TOPIC.test(topic)) {
    return 'a name of 1 to 200 letters, digits and . _ - was expected as topic';
  }
  const encoding = FOREIGN_ENCODINGS.find((known) => known === name);
  if (encoding === undefined) {
    return `one of ${FOREIGN_ENCODINGS.join(', ')} was expected as encoding of ${topic}`;
  }
  if (typeof tenant !== 'string' || !TENANT.test(tenant)) {
    return `1 to 128 letters, digits and . _ - were expected as tenant of ${topic}`;
  }
  return { topic, encoding, tenant };
}

function partsOf(entry: unknown): Readonly<Record<string, unknown>> | string {
  if (typeof entry === 'string') {
    const [topic, encoding, tenant, ...rest] = entry.split(':');
    if (rest.length > 0) return 'topic:encoding:tenant was expected, without a further colon';
    return tenant === undefined ? { topic, encoding } : { topic, encoding, tenant };
  }
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    return 'a section with topic, encoding and tenant was expected';
  }
  const unknown = Object.keys(entry).some((key) => !KEYS.includes(key));
  if (unknown) return `no other keys than ${KEYS.join(', ')} were expected`;
  return entry as Readonly<Record<string, unknown>>;
}
