// From the configuration to what the listeners take.

import type { Config } from './config_schema.ts';
import type { GrpcLimits } from './grpc_listener.ts';
import type { HttpLimits } from './http_listener.ts';

export function httpLimits(config: Config): HttpLimits {
  return {
    connectionsMax: config.limits.connections,
    headerBytesMax: config.limits.header_bytes,
    headerTimeMs: config.limits.header_time,
    requestTimeMs: config.limits.request_time,
    idleTimeMs: config.limits.idle_time,
  };
}

export function grpcLimits(config: Config): GrpcLimits {
  return {
    connectionsMax: config.limits.connections,
    streamsMax: config.limits.concurrent_streams,
    messageBytesMax: config.limits.request_bytes,
    idleTimeMs: config.limits.idle_time,
    connectionAgeMs: config.limits.connection_age,
  };
}
