// Jaeger's query services over gRPC (16685), with health and reflection beside them.

import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { GrpcHealth } from '../../../../service/grpc_health.ts';
import { type GrpcLimits, openGrpc } from '../../../../service/grpc_listener.ts';
import type { Listener } from '../../../../service/http_listener.ts';
import type { ListenAddress } from '../../../../service/listen.ts';
import { MemoryBudget } from '../../../../service/memory_budget.ts';
import { type Metrics, SECONDS_BUCKETS } from '../../../../service/metrics.ts';
import type { Tls } from '../../../../service/tls.ts';
import type { QueryDeps } from '../../../http_answer.ts';
import { definitionOf, handlersOf } from './call.ts';
import { queryServiceV2 } from './v2.ts';
import { queryServiceV3 } from './v3.ts';

export interface JaegerGrpcOptions {
  readonly listen: ListenAddress;
  /** All but the size of a message, which is ours. */
  readonly limits?: Partial<Omit<GrpcLimits, 'messageBytesMax'>>;
  /** Plaintext when absent. */
  readonly tls?: Tls;
}

/** A search of 32 tags; below what one stream may bring at all (service/grpc_bare.ts). */
const REQUEST_BYTES_MAX = 60 * 1024;
/** Requests that come in at once, all together. */
const REQUESTS_BYTES_MAX = 16 * 1024 * 1024;

const PROTO_FILES = [
  'jaeger/api_v2/query.proto',
  'jaeger/api_v3/query_service.proto',
  'grpc/health/v1/health.proto',
];

/** Resolves when the port is open. Throws ListenError (service/listen.ts). */
export async function startJaegerGrpc(
  deps: QueryDeps,
  metrics: Metrics,
  options: JaegerGrpcOptions,
): Promise<Listener> {
  const services = [queryServiceV2(deps), queryServiceV3(deps)];
  const health = new GrpcHealth(services.map(({ name }) => name));
  const seconds = metrics.histogram(
    'spanhouse_query_grpc_seconds',
    'Time from a gRPC query to the end of its answer.',
    ['method', 'code'],
    SECONDS_BUCKETS,
  );
  const observe = (method: string, code: string, value: number): void =>
    seconds.observe({ method, code }, value);
  const listener = await openGrpc({
    ...options.listen,
    limits: { ...options.limits, messageBytesMax: REQUEST_BYTES_MAX },
    budget: new MemoryBudget(REQUESTS_BYTES_MAX),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    note: (message) => deps.log.info(message),
    register: (server) => {
      for (const service of services) {
        server.addService(definitionOf(service), handlersOf(service, deps, observe));
      }
      health.addTo(server);
      new ReflectionService(protoFiles()).addToServer(server);
    },
  });
  health.setServing(true);
  return {
    ...listener,
    stop: (graceMs) => {
      health.close();
      return listener.stop(graceMs);
    },
  };
}

/** Lets grpcurl and the like list and call what is here without having our proto files. */
function protoFiles(): ReturnType<typeof loadSync> {
  return loadSync(PROTO_FILES, {
    includeDirs: [fileURLToPath(new URL('../../../../proto/', import.meta.url))],
    keepCase: true,
  });
}
