// `spanhouse ingester`: Kafka → ranges → ClickHouse, each record once.

import { registerIngesterMetrics } from '../ingester/ingester_metrics.ts';
import { Builders } from '../ingester/kafka/builders.ts';
import {
  registerConsumeMetrics,
  registerPartitionGauges,
} from '../ingester/kafka/consume_metrics.ts';
import { HeldBytes } from '../ingester/kafka/held_bytes.ts';
import { KafkaIngester } from '../ingester/kafka/kafka_ingester.ts';
import { addBuckets } from '../ingester/kafka/touched_buckets.ts';
import { systemClock } from '../service/clock.ts';
import type { ClickHouseAccess } from '../storage/clickhouse/client.ts';
import { ClickHouseSpanStore } from '../storage/clickhouse/insert.ts';
import { ClickHouseRangeStore } from '../storage/clickhouse/ranges.ts';
import type { DeadLetter, DeadLetters } from '../storage/dead_letter.ts';
import type { KafkaConnection } from '../storage/kafka/connection.ts';
import { openDeadLetterTopic } from '../storage/kafka/dead_letter_topic.ts';
import { LogGroup } from '../storage/kafka/log_group.ts';
import { ensureTopic } from '../storage/kafka/topics.ts';
import { type Command, helpPage } from './command.ts';
import { kafkaConnection } from './kafka_connection.ts';
import { type ProcessDeps, runProcess } from './process.ts';
import { openStore } from './store.ts';

const MS_PER_SECOND = 1000;

export const ingester: Command = {
  help: () =>
    helpPage({
      usage: 'ingester --kafka-brokers HOST:PORT,… --clickhouse-url URL [settings]',
      about:
        'Reads the spans that collectors have published to Kafka, and stores each in ClickHouse\n' +
        'exactly once. Any number may run: they share the partitions of the topic. The tables must\n' +
        'be there (`spanhouse migrate`); until they are, nothing is lost and everything waits.',
      settings: [
        'kafka',
        'ingester',
        'clickhouse',
        'retention',
        'memory',
        'listen.metrics',
        'listen.health',
        'log',
        'shutdown',
      ],
    }),
  run: (context) =>
    runProcess(context, 'ingester', async (deps) => {
      if (deps.config.clickhouse.url === '') {
        throw new Error(
          'clickhouse.url is not set: expected a ClickHouse server, or the address that ' +
            '`spanhouse clickhouse` prints; `spanhouse all-in-one` needs none.',
        );
      }
      const connection = kafkaConnection(deps.config, 'ingester');
      const access = await openStore(deps);
      await startIngester(deps, connection, access);
      return {};
    }),
};

async function startIngester(
  deps: ProcessDeps,
  connection: KafkaConnection,
  access: ClickHouseAccess,
): Promise<void> {
  const { config, life, log, metrics, health } = deps;
  const { kafka, ingester: own } = config;
  const ledger = registerConsumeMetrics(metrics, log);
  const inserts = registerIngesterMetrics(metrics);
  const builders = await life.start('block builders', () => new Builders());
  const letters = openDeadLetterTopic(connection, kafka.dead_letter_topic);
  await life.start('dead letters', () => ({ stop: () => letters.close() }));
  const held = new HeldBytes(config.memory.limit);
  const consuming = new KafkaIngester({
    store: new ClickHouseSpanStore(access),
    ranges: new ClickHouseRangeStore(access),
    deadLetters: deadLettersOn(deps, connection, letters),
    build: (records, settings) => builders.build(records, settings),
    buckets: addBuckets,
    clock: systemClock,
    random: Math.random,
    held,
    settings: {
      maxAgeSeconds: config.retention / MS_PER_SECOND,
      tenant: own.foreign_tenant === '' ? undefined : own.foreign_tenant,
    },
    ledger,
    inserts,
    log,
  });
  const group = new LogGroup({
    connection,
    topic: kafka.topic,
    group: kafka.group,
    sessionMs: own.session_time,
    instance: own.instance,
    prepare: topicMaker(deps, connection, kafka.topic, kafka.partitions),
    assigned: (logs) => consuming.assigned(logs),
    trouble: (reason) => log.warn('the consumer group is in trouble', { reason }),
  });
  await life.start('consumer group', () => ({ stop: () => group.stop() }));
  await life.start('ingester', () => consuming);
  registerPartitionGauges(metrics, () => consuming.partitions, systemClock.nowMs);
  metrics.gauge(
    'spanhouse_ingest_held_bytes',
    'Bytes of records that are read and not yet stored.',
    () => held.bytes,
  );
  health.check('kafka', () => (group.member ? undefined : 'not a member of the consumer group'));
  group.start();
}

/** The topic is made, or looked for, when the first letter is to be written. */
function deadLettersOn(deps: ProcessDeps, connection: KafkaConnection, letters: DeadLetters) {
  const ready = topicMaker(deps, connection, deps.config.kafka.dead_letter_topic, 1);
  return {
    publish: async (some: readonly DeadLetter[]): Promise<void> => {
      await ready();
      await letters.publish(some);
    },
  };
}

/** Makes the topic, or only looks for it where kafka.create_topics is false; once. */
function topicMaker(
  { config, log }: ProcessDeps,
  connection: KafkaConnection,
  topic: string,
  partitions: number,
): () => Promise<void> {
  const { kafka } = config;
  let checked = false;
  return async () => {
    if (checked) return;
    const { created } = await ensureTopic(connection, {
      topic,
      partitions,
      replication: kafka.replication,
      create: kafka.create_topics === 'true',
      batchBytesMax: kafka.record_bytes,
    });
    if (created) log.info('topic created', { topic });
    checked = true;
  };
}
