// Jaeger over UDP, as its agent takes it: one Thrift message a datagram, compact or binary.

import { createSocket, type Socket } from 'node:dgram';
import type { Listener } from '../../service/http_listener.ts';
import { type ListenAddress, ListenError } from '../../service/listen.ts';
import { type GatheringDeps, UdpGathering } from './udp_gathering.ts';

export interface JaegerUdpDeps extends GatheringDeps {
  /** The kernel's receive buffer, bytes. */
  readonly bufferBytes: number;
  readonly receivedBytes: (bytes: number) => void;
  readonly note?: (message: string) => void;
}

/** A free port of one family may be taken in the other: so many times another one is tried. */
const FREE_PORT_TRIES = 8;

/** Resolves when the port is open. Throws ListenError. */
export async function startJaegerUdp(
  deps: JaegerUdpDeps,
  listen: ListenAddress,
): Promise<Listener> {
  const gathering = new UdpGathering(deps);
  const sockets = await openSockets(deps, listen, gathering);
  const addresses = sockets.map((socket) => {
    const { address, port, family } = socket.address();
    return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
  });
  return {
    port: (sockets[0] as Socket).address().port,
    addresses,
    stop: async (graceMs) => {
      await Promise.all(sockets.map(close));
      await gathering.stop(graceMs);
    },
  };
}

async function openSockets(
  deps: JaegerUdpDeps,
  listen: ListenAddress,
  gathering: UdpGathering,
): Promise<Socket[]> {
  if (listen.host !== 'localhost') {
    return [await open(deps, listen, listen.host, listen.port, gathering)];
  }
  for (let tries = 1; ; tries++) {
    const v4 = await open(deps, listen, '127.0.0.1', listen.port, gathering);
    try {
      return [v4, await open(deps, listen, '::1', v4.address().port, gathering)];
    } catch (error) {
      const code = codeOf(error instanceof ListenError ? error.cause : error);
      if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') {
        const here = 'no IPv6 loopback on this machine, listening on 127.0.0.1 only';
        deps.note?.(`${listen.setting}: ${here}`);
        return [v4];
      }
      await close(v4);
      if (listen.port !== 0 || tries === FREE_PORT_TRIES) throw error;
    }
  }
}

function open(
  deps: JaegerUdpDeps,
  listen: ListenAddress,
  host: string,
  port: number,
  gathering: UdpGathering,
): Promise<Socket> {
  const isV6 = host.includes(':');
  const socket = createSocket({
    type: isV6 ? 'udp6' : 'udp4',
    // On loopback each family has its own socket; `::` takes both.
    ipv6Only: host === '::1',
    recvBufferSize: deps.bufferBytes,
  });
  socket.on('message', (datagram) => {
    deps.receivedBytes(datagram.length);
    try {
      gathering.add(datagram);
    } catch (error) {
      deps.onBug(error);
    }
  });
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.close();
      reject(new ListenError(explain(error, host, port, listen.setting), error));
    };
    socket.once('error', fail);
    socket.bind({ port, address: host, exclusive: true }, () => {
      socket.off('error', fail);
      // An ICMP answer to somebody else's datagram is no reason to stop.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

function close(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}

function explain(error: Error, host: string, port: number, setting: string): string {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return `UDP port ${port} on ${host} is in use: stop what listens there, or change ${setting}`;
    case 'EACCES':
      return `UDP port ${port} needs rights that we lack: set ${setting} to a port above 1023`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine: set ${setting} or listen.host to one that is`;
    default:
      return `cannot listen on UDP ${host}:${port} (${setting}): ${error.message}`;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
