// Metrics of the consuming side. Labels are closed sets and partition numbers, never span data.

import type { Log } from '../../service/log.ts';
import type { Metrics } from '../../service/metrics.ts';
import { type ConsumeLedger, HELD_REASONS } from './consume_ledger.ts';
import type { PartitionConsumer } from './partition_consumer.ts';

/** Registers counters; a held partition is also an error in the log. Gives a topic's ledger. */
export function registerConsumeMetrics(
  metrics: Metrics,
  log: Log,
): (topic: string) => ConsumeLedger {
  const consumed = metrics.counter(
    'spanhouse_records_consumed_total',
    'Records whose spans are stored, or that are among the dead letters.',
    ['topic'],
  );
  const rejected = metrics.counter(
    'spanhouse_consumed_spans_rejected_total',
    'Spans of consumed records that can never be stored.',
    ['topic', 'reason'],
  );
  const dead = metrics.counter('spanhouse_records_dead_lettered_total', 'Dead letters.', [
    'topic',
    'reason',
  ]);
  const lost = metrics.counter(
    'spanhouse_records_lost_total',
    'Offsets that retention took from the log before they were read.',
    ['topic'],
  );
  const replays = metrics.counter(
    'spanhouse_range_replays_total',
    'Ranges that were inserted again, under their token, after a crash or a change of owner.',
    ['topic'],
  );
  const fences = metrics.counter(
    'spanhouse_fences_total',
    'Commits that were refused because the partition had gone to another ingester.',
    ['topic'],
  );
  const retries = metrics.counter(
    'spanhouse_consume_retries_total',
    'Calls to brokers, builder or dead-letter topic that failed and were tried again.',
    ['topic'],
  );
  const holds = metrics.counter(
    'spanhouse_partition_holds_total',
    'How often a partition began to stand still until someone acts.',
    ['topic', 'reason'],
  );
  return (topic) => {
    // A counter that appears with its first event hides that event from rate().
    for (const counter of [consumed, lost, replays, fences, retries]) counter.add({ topic }, 0);
    return {
      consumed: (records) => consumed.add({ topic }, records),
      rejected: (reason, spans) => rejected.add({ topic, reason }, spans),
      deadLettered: (reason, records) => dead.add({ topic, reason }, records),
      lost: (records) => lost.add({ topic }, records),
      replayed: () => replays.add({ topic }),
      fenced: () => fences.add({ topic }),
      retried: () => retries.add({ topic }),
      held: (partition, reason) => {
        holds.add({ topic, reason });
        log.error('a partition is held: nothing of it is stored until this is mended', {
          topic,
          partition,
          reason,
        });
      },
    };
  };
}

/** Gauges over the partitions of this process, read at each scrape. */
export function registerPartitionGauges(
  metrics: Metrics,
  partitions: () => readonly PartitionConsumer[],
  nowMs: () => number,
): void {
  const each = (read: (partition: PartitionConsumer) => number) => () =>
    partitions().map((one) => {
      const { topic, partition } = one.source;
      return [{ topic, partition: String(partition) }, read(one)] as const;
    });
  metrics.gaugesBy(
    'spanhouse_lag_records',
    'Records of a partition that are not yet committed.',
    ['topic', 'partition'],
    each((one) => one.lagRecords),
  );
  metrics.gaugesBy(
    'spanhouse_lag_bytes',
    'Bytes of those records, uncompressed: as if each were as large as the ones read last.',
    ['topic', 'partition'],
    each((one) => one.lagBytes),
  );
  metrics.gaugesBy(
    'spanhouse_lag_seconds',
    'Age of the oldest record of a partition that is read and not yet acknowledged.',
    ['topic', 'partition'],
    each((one) => (one.oldestMs === undefined ? 0 : Math.max(0, nowMs() - one.oldestMs) / 1000)),
  );
  metrics.gauges(
    'spanhouse_partitions_held',
    'Partitions that stand still until someone acts, by reason.',
    'reason',
    () =>
      HELD_REASONS.map((reason) => [
        reason,
        partitions().filter((one) => one.held === reason).length,
      ]),
  );
}
