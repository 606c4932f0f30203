// The section `kafka` of the settings: where brokers are, and which topics.

import { z } from 'zod';
import { choice, count, duration, list, size, text } from './config_values.ts';
import { foreignTopics } from './foreign_topics.ts';
import { setting } from './setting.ts';

/** What Kafka takes as the name of a topic, and we for a group. */
const topicName = text('a name of letters, digits and . _ -', /^[A-Za-z0-9._-]{1,249}$/);

export const KAFKA_SETTINGS = z.strictObject({
  brokers: setting(
    list('host:port, one or more', /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/),
    '',
    'Kafka brokers to ask for the others; collector and ingester need them.',
  ),
  topic: setting(topicName, 'spanhouse-spans', 'Where collectors publish and ingesters read.'),
  foreign_topics: setting(
    foreignTopics,
    '',
    'Topics that others write: encoding otlp_proto, otlp_json, jaeger_proto, jaeger_json, ' +
      'zipkin_json, zipkin_proto or zipkin_thrift, and the tenant of every record.',
  ),
  dead_letter_topic: setting(
    topicName,
    'spanhouse-dead-letters',
    'Where records go that can never be stored, with the reason.',
  ),
  group: setting(topicName, 'spanhouse-ingester', 'The consumer group of all ingesters.'),
  driver: setting(
    choice('platformatic', 'kafkajs'),
    'platformatic',
    'The client that publishes; kafkajs knows the widest range of brokers.',
  ),
  compression: setting(
    choice('none', 'lz4', 'zstd'),
    'lz4',
    'How records are compressed on their way to the brokers and on their disks.',
  ),
  partitions: setting(
    count(1, 1000),
    '4',
    'Of a topic that is created; each is one stream of inserts, so more is not faster.',
  ),
  replication: setting(
    count(1, 10),
    '3',
    'Copies of each record in a topic that is created; with 3, one broker may be lost.',
  ),
  create_topics: setting(
    choice('true', 'false'),
    'true',
    'false: topics must be there; they are checked at the start.',
  ),
  record_bytes: setting(
    size('64KiB', '32MiB'),
    '976KiB',
    'The largest batch of records; below the max.message.bytes of the topic (1 MiB by default).',
  ),
  linger: setting(
    duration('0ms', '1s'),
    '5ms',
    'How long a record waits for others, so that brokers get few and large batches.',
  ),
  tls: setting(choice('true', 'false'), 'false', 'Speak TLS to the brokers.'),
  tls_ca: setting(text('a file'), '', "Authorities to trust, PEM. Empty: the system's."),
  tls_cert: setting(text('a file'), '', 'Our certificate, PEM, where brokers ask for one.'),
  tls_key: setting(text('a file'), '', 'Its private key, PEM.'),
  sasl_mechanism: setting(
    choice('none', 'plain', 'scram-sha-256', 'scram-sha-512'),
    'none',
    'How to log in to the brokers.',
  ),
  sasl_user: setting(text('a user name'), '', 'The user.'),
  sasl_password: setting(text('a password'), '', 'Its password.', { secret: true }),
});
