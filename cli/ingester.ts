// `spanhouse ingester`: Kafka → ranges → ClickHouse, each record once.

import { registerIngesterMetrics } from '../ingester/ingester_metrics.ts';
import { Builders } from '../ingester/kafka/builders.ts';
import {
  registerConsumeMetrics,
  registerPartitionGauges,
} from '../ingester/kafka/consume_metrics.ts';
import { HeldBytes } from '../ingester/kafka/held_bytes.ts';
import { KafkaIngester, type KafkaIngesterDeps } from '../ingester/kafka/kafka_ingester.ts';
import { addBuckets } from '../ingester/kafka/touched_buckets.ts';
import { startBufferGarbage } from '../service/buffer_garbage.ts';
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
import { type ConsumedTopic, consumedTopics } from './consumed_topics.ts';
import { kafkaConnection } from './kafka_connection.ts';
import { type ProcessDeps, runProcess } from './process.ts';
import { startSettlePart } from './settle_part.ts';
import { openStore } from './store.ts';

const MS_PER_SECOND = 1000;

export const ingester: Command = {
  help: () =>
    helpPage({
      usage: 'ingester --kafka-brokers HOST:PORT,… --clickhouse-url URL [settings]',
      about:
        'Reads the spans that collectors have published to Kafka, and stores each in ClickHouse\n' +
        'exactly once. Any number may run: they share the partitions of the topic. The tables must\n' +
        'be there (`spanhouse migrate`); until they are, nothing is lost and everything waits.\n' +
        'Topics of an OpenTelemetry Collector, Jaeger or Brave: kafka.foreign_topics.',
      settings: [
        'kafka',
        'ingester',
        'settle',
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
      await deps.life.start('buffer garbage', startBufferGarbage);
      const connection = kafkaConnection(deps.config, 'ingester');
      const access = await openStore(deps);
      await startIngester(deps, connection, access);
      await startSettlePart(deps, access);
      return {};
    }),
};

async function startIngester(
  deps: ProcessDeps,
  connection: KafkaConnection,
  access: ClickHouseAccess,
): Promise<void> {
  const { config, life, log, metrics, health } = deps;
  const topics = consumedTopics(config);
  const ledgerOf = registerConsumeMetrics(metrics, log);
  const builders = await life.start('block builders', () => new Builders());
  const letters = openDeadLetterTopic(
    connection,
    config.kafka.dead_letter_topic,
    config.kafka.record_bytes,
  );
  await life.start('dead letters', () => ({ stop: () => letters.close() }));
  const held = new HeldBytes(config.memory.limit);
  const shared = {
    store: new ClickHouseSpanStore(access),
    ranges: new ClickHouseRangeStore(access),
    deadLetters: deadLettersOn(deps, connection, letters),
    build: builders.build.bind(builders),
    buckets: addBuckets,
    clock: systemClock,
    random: Math.random,
    held,
    inserts: registerIngesterMetrics(metrics),
    log,
  };
  const all: Consuming[] = [];
  for (const topic of topics) {
    const ledger = ledgerOf(topic.topic);
    all.push(await consume(deps, connection, topic, { ...shared, ledger }));
  }
  registerPartitionGauges(
    metrics,
    () => all.flatMap(({ ingester }) => ingester.partitions),
    systemClock.nowMs,
  );
  metrics.gauge(
    'spanhouse_ingest_held_bytes',
    'Bytes of records that are read and not yet stored.',
    () => held.bytes,
  );
  metrics.gauges(
    'spanhouse_group_member',
    'Whether this process is a member of the consumer group of a topic.',
    'topic',
    () => all.map(({ topic, group }) => [topic.topic, group.member ? 1 : 0]),
  );
  health.check('kafka', () => (isMember(all) ? undefined : 'not a member of the consumer group'));
  for (const { group } of all) group.start();
}

/** Of our own topic: one of others that is not there must not take this process out of service. */
function isMember(all: readonly Consuming[]): boolean {
  return all.some(({ topic, group }) => topic.isOurs && group.member);
}

interface Consuming {
  readonly topic: ConsumedTopic;
  readonly ingester: KafkaIngester;
  readonly group: LogGroup;
}

async function consume(
  deps: ProcessDeps,
  connection: KafkaConnection,
  topic: ConsumedTopic,
  shared: Omit<KafkaIngesterDeps, 'settings'>,
): Promise<Consuming> {
  const { config, life, log } = deps;
  const { tenant, encoding } = topic;
  const maxAgeSeconds = config.retention / MS_PER_SECOND;
  const ingester = new KafkaIngester({ ...shared, settings: { maxAgeSeconds, tenant, encoding } });
  const group = new LogGroup({
    connection,
    topic: topic.topic,
    group: topic.group,
    sessionMs: config.ingester.session_time,
    instance: config.ingester.instance,
    prepare: topic.isOurs
      ? topicMaker(deps, connection, topic.topic, config.kafka.partitions)
      : () => Promise.resolve(),
    assigned: (logs) => ingester.assigned(logs),
    trouble: (reason) =>
      log.warn('the consumer group is in trouble', { topic: topic.topic, reason }),
  });
  await life.start(`consumer group of ${topic.topic}`, () => ({ stop: () => group.stop() }));
  await life.start(`ingester of ${topic.topic}`, () => ingester);
  return { topic, ingester, group };
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
