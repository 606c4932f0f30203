// Binding a port, the same for HTTP and gRPC. `localhost` means 127.0.0.1 *and* ::1: some clients
// try IPv6 first and some never, and both have to arrive.

import type { AddressInfo, Server, Socket } from 'node:net';

export interface ListenAddress {
  /** `localhost` (both loopback families), or one address or name. */
  readonly host: string;
  /** 0: the system chooses; both families then get the same one. */
  readonly port: number;
  /** The setting that this address comes from, so that an error can name it: `listen.otlp_http`. */
  readonly setting: string;
}

export interface Bound<S extends Server> {
  readonly servers: readonly S[];
  readonly port: number;
  /** True when only this machine can reach it. */
  readonly loopback: boolean;
  /** As clients would write them: `127.0.0.1:4318`, `[::1]:4318`. */
  readonly addresses: readonly string[];
  /** Ends all connections, also those that are still about their TLS handshake. */
  cut(): void;
}

/** A listening port could not be had; the message is for the operator, whole and on its own. */
export class ListenError extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'ListenError';
  }
}

/** A free port of one family may be taken in the other: so many times another one is tried. */
const FREE_PORT_TRIES = 8;

/**
 * Opens one server for each address behind `host`. A missing IPv6 is no error: `note` is told.
 * Throws ListenError when the port is in use, not allowed, or the host is not of this machine.
 */
export async function bind<S extends Server>(
  make: () => S,
  at: ListenAddress,
  note: (message: string) => void,
): Promise<Bound<S>> {
  const loopback = isLoopbackHost(at.host);
  const sockets = new Set<Socket>();
  const open = (): S => {
    const server = make();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    return server;
  };
  if (at.host !== 'localhost') {
    const server = open();
    await listen(server, at.host, at.port, at);
    return bound([server], sockets, loopback);
  }
  for (let tries = 1; ; tries += 1) {
    const v4 = open();
    await listen(v4, '127.0.0.1', at.port, at);
    const v6 = open();
    try {
      await listen(v6, '::1', portOf(v4), at);
      return bound([v4, v6], sockets, loopback);
    } catch (error) {
      if (hasNoIpv6(error)) {
        note(`${at.setting}: no IPv6 loopback on this machine, listening on 127.0.0.1 only`);
        return bound([v4], sockets, loopback);
      }
      await new Promise<void>((resolve) => v4.close(() => resolve()));
      if (at.port !== 0 || tries === FREE_PORT_TRIES) throw error;
    }
  }
}

/** Whether a listener on this host can only be reached from this machine. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}

function bound<S extends Server>(
  servers: readonly S[],
  sockets: ReadonlySet<Socket>,
  loopback: boolean,
): Bound<S> {
  const addresses = servers.map((server) => {
    const { address, family, port } = server.address() as AddressInfo;
    return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return { servers, port: portOf(servers[0] as S), loopback, addresses, cut };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function listen(server: Server, host: string, port: number, at: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      reject(new ListenError(explain(error, host, port, at.setting), error));
    };
    server.once('error', fail);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

function explain(
  error: NodeJS.ErrnoException,
  host: string,
  port: number,
  setting: string,
): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use: stop what listens there, or change ${setting}`;
    case 'EACCES':
      return `port ${port} needs rights that we lack: set ${setting} to a port above 1023`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${host} is no address of this machine: set ${setting} or listen.host to one that is`;
    default:
      return `cannot listen on ${host}:${port} (${setting}): ${error.message}`;
  }
}

function hasNoIpv6(error: unknown): boolean {
  const cause = error instanceof ListenError ? (error.cause as NodeJS.ErrnoException) : undefined;
  return cause?.code === 'EADDRNOTAVAIL' || cause?.code === 'EAFNOSUPPORT';
}
