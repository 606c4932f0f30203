// grpc.health.v1.Health: one answer for the whole server and for each service that it names. Our
// own, since the stock package remembers every name that anyone ever watched.

import { fileURLToPath } from 'node:url';
import {
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

interface HealthCheckRequest {
  readonly service: string;
}

type ServingStatus = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

interface HealthCheckResponse {
  readonly status: ServingStatus;
}

type Watcher = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

export class GrpcHealth {
  /** '' is the server as a whole. */
  readonly #names: ReadonlySet<string>;
  readonly #watchers = new Set<Watcher>();
  #serving = false;

  constructor(services: readonly string[]) {
    this.#names = new Set(['', ...services]);
  }

  setServing(serving: boolean): void {
    if (serving === this.#serving) return;
    this.#serving = serving;
    for (const watcher of this.#watchers) {
      if (this.#names.has(watcher.request.service)) watcher.write({ status: this.#status() });
    }
  }

  /** Says NOT_SERVING for the last time and ends all watches, which would hold up a drain. */
  close(): void {
    this.setServing(false);
    for (const watcher of this.#watchers) watcher.end();
    this.#watchers.clear();
  }

  addTo(server: Server): void {
    server.addService(healthDefinition(), {
      Check: (
        call: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
        callback: sendUnaryData<HealthCheckResponse>,
      ) => {
        if (this.#names.has(call.request.service)) callback(null, { status: this.#status() });
        else
          callback({ code: status.NOT_FOUND, details: 'this server has no service of that name' });
      },
      Watch: (call: Watcher) => this.#watch(call),
      List: (_call: unknown, callback: sendUnaryData<object>) => {
        const entry = { status: this.#status() };
        const statuses = Object.fromEntries([...this.#names].map((name) => [name, entry]));
        callback(null, { statuses });
      },
    });
  }

  #watch(call: Watcher): void {
    this.#watchers.add(call);
    const forget = (): boolean => this.#watchers.delete(call);
    call.on('cancelled', forget).on('close', forget).on('error', forget);
    const known = this.#names.has(call.request.service);
    call.write({ status: known ? this.#status() : 'SERVICE_UNKNOWN' });
  }

  #status(): ServingStatus {
    return this.#serving ? 'SERVING' : 'NOT_SERVING';
  }
}

function healthDefinition(): ServiceDefinition {
  const loaded = loadSync('grpc/health/v1/health.proto', {
    includeDirs: [fileURLToPath(new URL('../proto/', import.meta.url))],
    keepCase: true,
    enums: String,
    defaults: true,
  });
  return loaded['grpc.health.v1.Health'] as ServiceDefinition;
}
