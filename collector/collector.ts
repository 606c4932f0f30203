// The collector: its receivers opened, and everything they need wired to one `accept`.

import type { Transcoder } from '../model/codec/otlp/transcoder.ts';
import { systemClock } from '../service/clock.ts';
import { type Config, listenAddress } from '../service/config_schema.ts';
import type { Lifecycle } from '../service/lifecycle.ts';
import { grpcLimits, httpLimits } from '../service/limits.ts';
import type { Log } from '../service/log.ts';
import { MemoryBudget } from '../service/memory_budget.ts';
import type { Metrics } from '../service/metrics.ts';
import { registerMemoryBudget } from '../service/process_metrics.ts';
import type { Tls } from '../service/tls.ts';
import type { Publish } from '../storage/span_log.ts';
import { createAccept } from './accept.ts';
import { registerCollectorMetrics } from './collector_metrics.ts';
import { JsonWorker } from './json_worker.ts';
import { startJaeger } from './receivers/jaeger.ts';
import { startOtlpGrpc } from './receivers/otlp_grpc.ts';
import { startOtlpHttp } from './receivers/otlp_http.ts';
import { startZipkin, type ZipkinDeps } from './receivers/zipkin.ts';

const MS_PER_SECOND = 1000;
const NANOS_PER_MS = 1_000_000n;

export interface CollectorDeps {
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly life: Lifecycle;
  readonly transcoder: Transcoder;
  readonly publish: Publish;
  /** Answers what only reads on Zipkin's port, where this process serves queries, too. */
  readonly asZipkin?: NonNullable<ZipkinDeps['otherwise']>;
  /** See AcceptDeps. */
  readonly recordBytesMax?: number;
  /** Plain listeners when absent. */
  readonly tls?: Tls;
}

/** Where the receivers listen, as clients would write it. */
export interface Collector {
  readonly otlpGrpc: readonly string[];
  readonly otlpHttp: readonly string[];
  readonly jaeger: readonly string[];
  readonly sampling: readonly string[];
  readonly zipkin: readonly string[];
  /** What gRPC health checks answer; true from the start. */
  setServing(serving: boolean): void;
}

/** Opens all receivers as parts of `life`. Throws ListenError. */
export async function startCollector(deps: CollectorDeps): Promise<Collector> {
  const { config, life, log, metrics } = deps;
  const budget = new MemoryBudget(config.memory.limit);
  registerMemoryBudget(metrics, budget);
  const { receivers, ledger } = registerCollectorMetrics(metrics);
  const accept = createAccept({
    check: (bytes, nanos, maxAge) => deps.transcoder.check(bytes, nanos, maxAge),
    publish: deps.publish,
    ...(deps.recordBytesMax === undefined ? {} : { recordBytesMax: deps.recordBytesMax }),
    now: () => BigInt(systemClock.nowMs()) * NANOS_PER_MS,
    maxAgeSeconds: config.retention / MS_PER_SECOND,
    ledger,
  });
  const common = {
    accept,
    budget,
    metrics: receivers,
    onBug: (error: unknown) => log.error('a bug of ours in a receiver', { error }),
    requestBytesMax: config.limits.request_bytes,
  };
  const listen = {
    allowedHosts: config.http.allowed_hosts,
    note: (message: string) => log.warn(message),
    ...(deps.tls === undefined ? {} : { tls: deps.tls }),
  };
  const json = await life.start('json', () => new JsonWorker());
  const http = await life.start('otlp http', () =>
    startOtlpHttp(
      { ...common, json, corsOrigins: config.http.cors_origins },
      { ...listen, ...listenAddress(config, 'otlp_http'), limits: httpLimits(config) },
    ),
  );
  const grpc = await life.start('otlp grpc', () =>
    startOtlpGrpc(
      { ...common, bodyTimeMs: config.limits.request_time },
      { ...listen, ...listenAddress(config, 'otlp_grpc'), limits: grpcLimits(config) },
    ),
  );
  const zipkin = await life.start('zipkin', () =>
    startZipkin(
      {
        ...common,
        json,
        corsOrigins: config.http.cors_origins,
        bodyTimeMs: config.limits.request_time,
        grpcLimits: grpcLimits(config),
        ...(deps.asZipkin === undefined ? {} : { otherwise: deps.asZipkin }),
      },
      { ...listen, ...listenAddress(config, 'zipkin'), limits: httpLimits(config) },
    ),
  );
  const jaeger = await startJaeger({ ...common, ...listen, config, life, registry: metrics });
  grpc.setServing(true);
  return {
    otlpGrpc: grpc.addresses,
    otlpHttp: http.addresses,
    zipkin: zipkin.addresses,
    jaeger: [...jaeger.grpc, ...jaeger.http, ...jaeger.udp],
    sampling: jaeger.sampling,
    setServing: (serving) => {
      grpc.setServing(serving);
      jaeger.setServing(serving);
    },
  };
}
