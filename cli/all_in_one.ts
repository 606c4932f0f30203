// `spanhouse all-in-one`: collector → group commit → store ← query, in one process.

import { randomUUID } from 'node:crypto';
import { startCollector } from '../collector/collector.ts';
import { startBlockBuilder } from '../ingester/block_builder.ts';
import { GroupCommit } from '../ingester/group_commit.ts';
import { registerIngesterMetrics } from '../ingester/ingester_metrics.ts';
import { loadTranscoder } from '../model/codec/otlp/transcoder.ts';
import type { ClickHouseAccess } from '../storage/clickhouse/client.ts';
import { ClickHouseSpanStore } from '../storage/clickhouse/insert.ts';
import { type Command, helpPage } from './command.ts';
import { type ProcessDeps, runProcess } from './process.ts';
import { startQueryPart } from './query_part.ts';
import { startSettlePart } from './settle_part.ts';
import { migrateStore, openStore } from './store.ts';

export const allInOne: Command = {
  help: () =>
    helpPage({
      usage: 'all-in-one [settings]',
      about:
        'Receives spans, stores them in an embedded ClickHouse engine (or a server, with\n' +
        '--clickhouse-url) and serves the query API, all on localhost. Senders hear OK when their\n' +
        'spans are stored.',
      settings: [
        'listen',
        'http',
        'tls',
        'limits',
        'memory',
        'retention',
        'settle',
        'storage',
        'clickhouse',
        'query',
        'zipkin',
        'ui',
        'log',
        'shutdown',
      ],
    }),
  run: (context) =>
    runProcess(context, 'all-in-one', async (deps) => {
      const { config, log } = deps;
      const access = await openStore(deps);
      await migrateStore(access, config, log);
      const transcoder = await loadTranscoder();
      const commit = await startIngester(deps, access);
      await startSettlePart(deps, access);
      const query = await startQueryPart(deps, access, {
        otlpGrpcPort: config.listen.otlp_grpc.port,
        otlpHttpPort: config.listen.otlp_http.port,
      });
      const publish = commit.publish.bind(commit);
      const { asZipkin } = query;
      const receivers = await startCollector({ ...deps, transcoder, publish, asZipkin });
      return {
        'otlp grpc': receivers.otlpGrpc,
        'otlp http': receivers.otlpHttp,
        zipkin: receivers.zipkin,
        jaeger: receivers.jaeger,
        sampling: receivers.sampling,
        query: query.addresses,
        'query grpc': query.grpc?.addresses ?? [],
        'zipkin query': query.zipkin?.addresses ?? [],
      };
    }),
};

const MS_PER_SECOND = 1000;

async function startIngester(
  { config, life, log, metrics }: ProcessDeps,
  access: ClickHouseAccess,
): Promise<GroupCommit> {
  const settings = { maxAgeSeconds: config.retention / MS_PER_SECOND };
  const builder = await life.start('block builder', () => startBlockBuilder(settings));
  const commit = await life.start(
    'ingester',
    () =>
      new GroupCommit({
        store: new ClickHouseSpanStore(access),
        builder,
        ledger: registerIngesterMetrics(metrics),
        runId: randomUUID(),
        queueBytesMax: config.memory.limit,
        nowMs: () => performance.now(),
        failed: (error) => log.error('spans were refused, their senders keep them', { error }),
      }),
  );
  metrics.gauge(
    'spanhouse_ingest_queue_bytes',
    'Bytes of requests that wait for their insert.',
    () => {
      return commit.queuedBytes;
    },
  );
  return commit;
}
