// The one place that opens gRPC servers. The sockets are ours (service/listen.ts), so that both
// loopback families, the connection cap and the error texts are those of HTTP; grpc-js gets every
// limit explicitly, since its own defaults leave streams and session memory unbounded.

import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Server, ServerCredentials, type ServerOptions } from '@grpc/grpc-js';
import { addBareMethods, type BareMethods } from './grpc_bare.ts';
import type { Listener } from './http_listener.ts';
import { bind, type ListenAddress } from './listen.ts';
import type { MemoryBudget } from './memory_budget.ts';
import type { Tls } from './tls.ts';

export interface GrpcLimits {
  readonly connectionsMax: number;
  /** HTTP/2 streams of one connection at once. */
  readonly streamsMax: number;
  /** One message, inflated. */
  readonly messageBytesMax: number;
  /** A connection without a call is closed after this. */
  readonly idleTimeMs: number;
  /** A connection is asked to go (and come back, perhaps elsewhere) after this. */
  readonly connectionAgeMs: number;
}

/** Each is explained where an operator can change it: service/config_schema.ts. */
export const GRPC_LIMITS: GrpcLimits = {
  connectionsMax: 1000,
  streamsMax: 100,
  messageBytesMax: 64 * 1024 * 1024,
  idleTimeMs: 120_000,
  connectionAgeMs: 10 * 60_000,
};

/** Node's bookkeeping of one HTTP/2 session (headers, queued writes), in MiB as Node wants it. */
const SESSION_MEMORY_MIB = 64;

/** OTLP 1.11: a response stays within 4 MiB. */
const RESPONSE_BYTES_MAX = 4 * 1024 * 1024;

/** Calls that run when a connection has reached its age may end within this. */
const CONNECTION_AGE_GRACE_MS = 30_000;

/** Finds peers that vanished without a FIN: a ping after a minute, 20 s to answer it. */
const KEEPALIVE_TIME_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;

export interface GrpcListenerOptions extends ListenAddress {
  /** Called once with the server, before any connection: add the services here. */
  readonly register: (server: Server) => void;
  readonly limits?: Partial<GrpcLimits>;
  /** Answered without grpc-js, which has the connections and all other methods. */
  readonly bare?: BareMethods;
  /** Charged for what grpc-js gathers of the other methods' requests. */
  readonly budget?: MemoryBudget;
  /** Plaintext when absent. */
  readonly tls?: Tls;
  /** Told about a missing IPv6; one sentence. */
  readonly note?: (message: string) => void;
}

/** Resolves when the port is open. Throws ListenError (service/listen.ts). */
export async function openGrpc(options: GrpcListenerOptions): Promise<Listener> {
  const limits = { ...GRPC_LIMITS, ...options.limits };
  const connections = grpcConnections(options);
  const make = (): NetServer => {
    // Not half open: a client that closes its side is gone, and so must its calls be.
    const server = createServerOf(options.tls, (socket) => connections.take(socket));
    server.maxConnections = limits.connectionsMax;
    return server;
  };
  const bound = await bind(make, options, options.note ?? (() => undefined));
  return {
    port: bound.port,
    addresses: bound.addresses,
    stop: async (graceMs) => {
      const closed = bound.servers.map(
        (server) => new Promise<void>((resolve) => server.close(() => resolve())),
      );
      connections.drain();
      const cut = setTimeout(() => bound.cut(), graceMs);
      await Promise.all(closed);
      clearTimeout(cut);
    },
  };
}

function createServerOf(tls: Tls | undefined, take: (socket: Socket) => void): NetServer {
  if (tls === undefined) return createServer({ noDelay: true }, take);
  const server = createTlsServer({ noDelay: true, ...tls.options(['h2']) }, take);
  tls.follow(server);
  // Also where its time is over: without this it would stay open for good.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/** A gRPC server without a port: it is given its connections. */
export interface GrpcConnections {
  /** A connection on which the client's HTTP/2 preface is still to be read. */
  take(socket: Socket): void;
  /** Asks clients to go; each connection closes when its last call has ended. */
  drain(): void;
}

export function grpcConnections(
  options: Omit<GrpcListenerOptions, keyof ListenAddress | 'note' | 'tls'>,
): GrpcConnections {
  const limits = { ...GRPC_LIMITS, ...options.limits };
  const grpc = new Server(channelOptions(limits));
  addBareMethods(grpc, options.bare ?? new Map(), options.budget);
  options.register(grpc);
  // Whether it is TLS or not, the sockets that it is given are read and written as they are.
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    take: (socket) => {
      // The HTTP/2 session reports errors too; without a listener here a reset would be a crash.
      socket.on('error', () => socket.destroy());
      injector.injectConnection(socket);
    },
    // Its callback comes at once, as the sockets are not its own: our servers know when they close.
    drain: () => grpc.tryShutdown(() => undefined),
  };
}

function channelOptions(limits: GrpcLimits): ServerOptions {
  return {
    'grpc.max_receive_message_length': limits.messageBytesMax,
    'grpc.max_send_message_length': RESPONSE_BYTES_MAX,
    'grpc.max_concurrent_streams': limits.streamsMax,
    'grpc-node.max_session_memory': SESSION_MEMORY_MIB,
    'grpc.max_connection_idle_ms': limits.idleTimeMs,
    'grpc.max_connection_age_ms': limits.connectionAgeMs,
    'grpc.max_connection_age_grace_ms': CONNECTION_AGE_GRACE_MS,
    'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    // Channelz keeps objects for each connection and call; our metrics say the same for less.
    'grpc.enable_channelz': 0,
  };
}
