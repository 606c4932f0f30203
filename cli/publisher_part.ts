// The publisher as a part of a process, from the settings.

import type { Config } from '../service/config_schema.ts';
import type { Log } from '../service/log.ts';
import type { Metrics } from '../service/metrics.ts';
import type { KafkaConnection } from '../storage/kafka/connection.ts';
import type { OpenDriver } from '../storage/kafka/driver.ts';
import { Publisher, type PublisherLedger } from '../storage/kafka/publisher.ts';
import { RECORD_OVERHEAD_BYTES } from '../storage/kafka/record.ts';
import { ensureTopic } from '../storage/kafka/topics.ts';
import type { ProcessDeps } from './process.ts';

/** A tenant's name is part of every record; 128 is the longest. */
const TENANT_BYTES_MAX = 128;

/** Of a request that fits into a batch of `recordBytes` by itself. */
export function publishableBytes(recordBytes: number): number {
  return recordBytes - RECORD_OVERHEAD_BYTES - TENANT_BYTES_MAX;
}

/**
 * Starts to connect, and does not wait for it: a collector whose brokers are down is up, says 503,
 * and recovers alone. `serving` hears each change.
 */
export function startPublisher(
  deps: ProcessDeps,
  connection: KafkaConnection,
  serving: (serving: boolean) => void,
): Promise<Publisher> {
  const { config, life, log, metrics, health } = deps;
  return life.start('kafka publisher', () => {
    const publisher = new Publisher({
      openDriver: opener(config, connection, log),
      ledger: publisherLedger(metrics),
      batchBytesMax: config.kafka.record_bytes,
      queueBytesMax: config.memory.limit,
      lingerMs: config.kafka.linger,
      onTrouble: (reason) => {
        if (reason === undefined) log.info('connected to Kafka');
        else log.warn('Kafka cannot take records; senders are told to try again', { reason });
        serving(reason === undefined);
      },
    });
    health.check('kafka', () => publisher.trouble);
    metrics.gauge(
      'spanhouse_publish_queue_bytes',
      'Bytes of records that wait for Kafka or are on their way.',
      () => publisher.queuedBytes,
    );
    metrics.gauge(
      'spanhouse_publish_oldest_seconds',
      'How long the oldest record waits for the acknowledgement of Kafka; 0: none does.',
      () => publisher.oldestWaitMs / 1000,
    );
    return publisher;
  });
}

function opener(config: Config, connection: KafkaConnection, log: Log): OpenDriver {
  const { kafka } = config;
  const options = { connection, topic: kafka.topic, compression: kafka.compression };
  let checked = false;
  return async () => {
    if (!checked) {
      const { created, partitions, replication } = await ensureTopic(connection, {
        topic: kafka.topic,
        partitions: kafka.partitions,
        replication: kafka.replication,
        create: kafka.create_topics === 'true',
        batchBytesMax: kafka.record_bytes,
      });
      if (created) log.info('topic created', { topic: kafka.topic, partitions, replication });
      checked = true;
    }
    // Loaded only when asked for: the one costs a CPU-second, the other is seldom needed.
    if (kafka.driver === 'kafkajs') {
      const { openKafkajs } = await import('../storage/kafka/kafkajs_driver.ts');
      return openKafkajs(options);
    }
    const { openPlatformatic } = await import('../storage/kafka/platformatic_driver.ts');
    return openPlatformatic(options);
  };
}

function publisherLedger(metrics: Metrics): PublisherLedger {
  const records = metrics.counter(
    'spanhouse_records_published_total',
    'Records that Kafka has acknowledged on every in-sync replica.',
  );
  const spans = metrics.counter(
    'spanhouse_spans_published_total',
    'Spans that Kafka has acknowledged. received = published + waiting + rejected + refused.',
  );
  const bytes = metrics.counter(
    'spanhouse_published_bytes_total',
    'Bytes of records that Kafka has acknowledged, before compression.',
  );
  const failed = metrics.counter(
    'spanhouse_publish_failures_total',
    'Sends to Kafka that failed or were given up; their senders were told to try again.',
  );
  const seconds = metrics.histogram(
    'spanhouse_publish_seconds',
    'From a send to the acknowledgement of all its records.',
  );
  return {
    published: (count, spanCount, byteCount, took) => {
      records.add({}, count);
      spans.add({}, spanCount);
      bytes.add({}, byteCount);
      seconds.observe({}, took);
    },
    sendFailed: () => failed.add({}),
  };
}
