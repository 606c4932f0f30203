// The Jaeger receivers on free loopback ports with an `accept` that remembers, for tests.

import { MemoryBudget } from '../../../service/memory_budget.ts';
import type { Accept, Batch } from '../../batch.ts';
import { defaultStrategies, type Strategy } from '../../sampling/strategies.ts';
import type { GrpcReceiver } from '../grpc_receiver.ts';
import { startJaegerGrpc } from '../jaeger_grpc.ts';
import { startJaegerHttp } from '../jaeger_http.ts';
import { type JaegerUdp, startJaegerUdp } from '../jaeger_udp.ts';
import type { Outcome } from '../receiver_metrics.ts';
import { startSamplingHttp } from '../sampling_http.ts';
import type { DatagramOutcome } from '../udp/messages.ts';
import { checkingAccept } from './rig.ts';

export interface JaegerRigOptions {
  readonly accept?: Accept;
  readonly requestBytesMax?: number;
  readonly memoryBytes?: number;
  readonly strategyOf?: (service: string) => Strategy;
  /** Starts the thread that reads datagrams too, unless it is false. */
  readonly udp?: boolean;
  /** See JaegerUdpDeps. */
  readonly thread?: URL;
}

export interface JaegerRig extends AsyncDisposable {
  readonly batches: Batch[];
  readonly outcomes: Outcome[];
  readonly bugs: unknown[];
  readonly datagrams: Map<DatagramOutcome, number>;
  readonly budget: MemoryBudget;
  readonly httpPort: number;
  readonly samplingPort: number;
  /** Of the UDP port; 0 without. */
  readonly udpPort: number;
  readonly restarts: () => number;
  readonly grpc: GrpcReceiver;
}

const LISTEN = { host: '127.0.0.1', port: 0, setting: 'test' } as const;

const NO_UDP: JaegerUdp = { bound: [], stop: () => Promise.resolve() };

const MEMORY_BYTES = 512 * 1024 * 1024;
const UDP_BUFFER_BYTES = 4 * 1024 * 1024;

export async function startJaegerRig(options: JaegerRigOptions = {}): Promise<JaegerRig> {
  const batches: Batch[] = [];
  const outcomes: Outcome[] = [];
  const bugs: unknown[] = [];
  const datagrams = new Map<DatagramOutcome, number>();
  const budget = new MemoryBudget(options.memoryBytes ?? MEMORY_BYTES);
  const deps = {
    ...options,
    accept: options.accept ?? checkingAccept(batches),
    budget,
    strategyOf: options.strategyOf ?? (() => defaultStrategies(0.001).fallback),
    metrics: {
      request: (_receiver: string, outcome: Outcome) => void outcomes.push(outcome),
      receivedBytes: () => undefined,
    },
    onBug: (error: unknown) => void bugs.push(error),
  };
  const http = await startJaegerHttp(deps, LISTEN);
  const sampling = await startSamplingHttp(deps.strategyOf, LISTEN);
  const grpc = await startJaegerGrpc(deps, LISTEN);
  let restarts = 0;
  const udp =
    options.udp === false
      ? NO_UDP
      : await startJaegerUdp(
          {
            ...deps,
            bufferBytes: UDP_BUFFER_BYTES,
            receivedBytes: () => undefined,
            count: (_port, outcome, count) =>
              datagrams.set(outcome, (datagrams.get(outcome) ?? 0) + count),
            restarted: () => void restarts++,
          },
          [LISTEN],
        );
  return {
    batches,
    outcomes,
    bugs,
    datagrams,
    budget,
    httpPort: http.port,
    samplingPort: sampling.port,
    udpPort: udp.bound[0]?.port ?? 0,
    restarts: () => restarts,
    grpc,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([http, sampling, grpc, udp].map((listener) => listener.stop(100)));
    },
  };
}
