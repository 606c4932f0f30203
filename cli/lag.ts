// `spanhouse lag`: how far the ingesters are behind, and what became of all that they have read.

import { loadConfig } from '../service/config.ts';
import type { Config } from '../service/config_schema.ts';
import { Health } from '../service/health.ts';
import { Lifecycle } from '../service/lifecycle.ts';
import { createLog } from '../service/log.ts';
import { type PartitionLedger, readLedger } from '../storage/clickhouse/ranges.ts';
import { type PartitionLag, readLag } from '../storage/kafka/group_lag.ts';
import { type Command, helpPage } from './command.ts';
import { consumedTopics } from './consumed_topics.ts';
import { kafkaConnection } from './kafka_connection.ts';
import { openStore } from './store.ts';
import { table } from './table.ts';

const MS_PER_SECOND = 1000;

export const lag: Command = {
  help: () =>
    helpPage({
      usage: 'lag --kafka-brokers HOST:PORT,… [--clickhouse-url URL] [settings]',
      about: `Shows for each partition of the topics how many records the ingesters have not stored yet, about
how many bytes that is, and the age of the oldest of them. With clickhouse.url also the ledger:
every record that was read is stored, dead-lettered, rejected or lost to retention; "missing" and
"twice" are 0 unless something is wrong. Exits with 1 where records were lost, are missing, or are
in two ranges, and where a foreign topic is not there.`,
      settings: ['kafka', 'clickhouse'],
    }),
  run: async ({ args, env, out }) => {
    const { config } = loadConfig(args, env);
    const lags: TopicLag[] = [];
    const missing: string[] = [];
    for (const { topic, group, isOurs } of consumedTopics(config)) {
      try {
        lags.push({ topic, lags: await readLag(kafkaConnection(config, 'lag'), topic, group) });
      } catch (error) {
        // One of others that is not there must not hide the others.
        if (isOurs) throw error;
        missing.push(error instanceof Error ? error.message : String(error));
      }
    }
    out(lagTable(lags, Date.now()));
    for (const message of missing) out(message);
    const ledger = config.clickhouse.url === '' ? [] : await ledgerOf(config);
    if (ledger.length > 0) out(`\n${ledgerTable(ledger)}`);
    const bad =
      missing.length > 0 ||
      lags.some((of) => of.lags.some((one) => one.lost > 0)) ||
      ledger.some((one) => one.missing > 0 || one.twice > 0 || one.lost > 0);
    return bad ? 1 : 0;
  },
};

interface TopicLag {
  readonly topic: string;
  readonly lags: readonly PartitionLag[];
}

function lagTable(topics: readonly TopicLag[], nowMs: number): string {
  return table(
    ['topic', 'partition', 'committed', 'end', 'lag records', 'lag bytes', 'lag seconds', 'lost'],
    topics.flatMap(({ topic, lags }) =>
      lags.map((one) => [
        topic,
        one.partition,
        one.committed ?? '-',
        one.endOffset,
        one.records,
        one.bytes,
        one.oldestMs === undefined
          ? 0
          : Math.max(0, Math.round((nowMs - one.oldestMs) / MS_PER_SECOND)),
        one.lost,
      ]),
    ),
  );
}

export function ledgerTable(ledger: readonly PartitionLedger[]): string {
  return table(
    [
      'topic',
      'partition',
      'records',
      'spans',
      'rejected',
      'dead letters',
      'lost',
      'missing',
      'twice',
    ],
    ledger.map((one) => [
      one.topic,
      one.partition,
      one.records,
      one.spans,
      one.rejected,
      one.deadLettered,
      one.lost,
      one.missing,
      one.twice,
    ]),
  );
}

async function ledgerOf(config: Config): Promise<readonly PartitionLedger[]> {
  const log = createLog(config.log);
  const life = new Lifecycle(log, config.shutdown.grace);
  try {
    return await readLedger(await openStore({ config, life, log, health: new Health() }));
  } finally {
    await life.stop();
  }
}
