// All that a Jaeger tracer may talk to, opened together: gRPC, Thrift over HTTP, both UDP ports, and
// remote sampling.

import { type Config, listenAddress } from '../../service/config_schema.ts';
import type { Lifecycle } from '../../service/lifecycle.ts';
import { grpcLimits, httpLimits } from '../../service/limits.ts';
import type { MemoryBudget } from '../../service/memory_budget.ts';
import type { Metrics } from '../../service/metrics.ts';
import type { Tls } from '../../service/tls.ts';
import type { Accept } from '../batch.ts';
import { StrategySource } from '../sampling/strategy_source.ts';
import { startJaegerGrpc } from './jaeger_grpc.ts';
import { startJaegerHttp } from './jaeger_http.ts';
import { startJaegerUdp } from './jaeger_udp.ts';
import type { ReceiverMetrics } from './receiver_metrics.ts';
import { startSamplingHttp } from './sampling_http.ts';
import { kernelDrops } from './udp/drops.ts';

export interface JaegerDeps {
  readonly config: Config;
  readonly life: Lifecycle;
  /** Where the datagram counters are registered. */
  readonly registry: Metrics;
  readonly accept: Accept;
  readonly budget: MemoryBudget;
  readonly metrics: ReceiverMetrics;
  readonly onBug: (error: unknown) => void;
  readonly requestBytesMax: number;
  readonly allowedHosts: readonly string[];
  /** One sentence for the operator. */
  readonly note: (message: string) => void;
  /** Plain listeners when absent; UDP is plain always. */
  readonly tls?: Tls;
}

/** Where they listen, as clients would write it. */
export interface Jaeger {
  readonly grpc: readonly string[];
  readonly http: readonly string[];
  readonly udp: readonly string[];
  readonly sampling: readonly string[];
  setServing(serving: boolean): void;
}

/** Opens all of them as parts of `life`. Throws ListenError and StrategyError. */
export async function startJaeger(deps: JaegerDeps): Promise<Jaeger> {
  const { config, life, note } = deps;
  const source = await life.start('sampling strategies', () =>
    StrategySource.open({
      from: config.sampling.strategies,
      probability: Number(config.sampling.default_probability),
      reloadMs: config.sampling.reload_interval,
      note,
    }),
  );
  const strategyOf = (service: string) => source.strategyOf(service);
  const receiver = { ...deps, strategyOf, bodyTimeMs: config.limits.request_time };
  const tls = deps.tls === undefined ? {} : { tls: deps.tls };
  const listen = { allowedHosts: deps.allowedHosts, note, ...tls };
  const http = await life.start('jaeger http', () => {
    const at = { ...listen, ...listenAddress(config, 'jaeger_http'), limits: httpLimits(config) };
    return startJaegerHttp(receiver, at);
  });
  const grpc = await life.start('jaeger grpc', () => {
    const at = { ...listen, ...listenAddress(config, 'jaeger_grpc'), limits: grpcLimits(config) };
    return startJaegerGrpc(receiver, at);
  });
  const samplingHttp = await life.start('sampling http', () => {
    const at = { ...listen, ...listenAddress(config, 'sampling_http'), limits: httpLimits(config) };
    return startSamplingHttp(strategyOf, at);
  });
  const samplingGrpc = await life.start('sampling grpc', () => {
    const at = { ...listen, ...listenAddress(config, 'sampling_grpc'), limits: grpcLimits(config) };
    return startJaegerGrpc({ ...receiver, samplingOnly: true }, at);
  });
  const udp = await startUdp(deps);
  const setServing = (serving: boolean): void => {
    grpc.setServing(serving);
    samplingGrpc.setServing(serving);
  };
  setServing(true);
  return {
    grpc: grpc.addresses,
    http: http.addresses,
    udp,
    sampling: [...samplingHttp.addresses, ...samplingGrpc.addresses],
    setServing,
  };
}

const UDP_PORTS = ['jaeger_compact', 'jaeger_binary'] as const;

async function startUdp(deps: JaegerDeps): Promise<readonly string[]> {
  const { registry, config } = deps;
  const datagrams = registry.counter(
    'spanhouse_udp_datagrams_total',
    'Datagrams by port and what became of them; full and lost ones were dropped.',
    ['port', 'outcome'],
  );
  const restarts = registry.counter(
    'spanhouse_udp_restarts_total',
    'Times that the thread which reads UDP died and was started again.',
  );
  const udp = await deps.life.start('jaeger udp', () =>
    startJaegerUdp(
      {
        ...deps,
        bufferBytes: config.jaeger.udp_buffer,
        count: (at, outcome, count) =>
          datagrams.add({ port: UDP_PORTS[at] ?? 'unknown', outcome }, count),
        receivedBytes: (bytes) => deps.metrics.receivedBytes('jaeger_udp', bytes),
        restarted: () => restarts.add({}),
      },
      UDP_PORTS.map((name) => listenAddress(config, name)),
    ),
  );
  registry.gauges(
    'spanhouse_udp_kernel_drops',
    'Datagrams that the kernel dropped since the port was opened, as the receive buffer was full.',
    'port',
    () => udp.bound.map(({ port }, at) => [UDP_PORTS[at] ?? 'unknown', kernelDrops(port)] as const),
  );
  return udp.bound.flatMap(({ addresses }) => addresses);
}
