// Opening a UDP port: on `localhost` both loopback families, as listen.ts does it for TCP.

import { createSocket, type Socket } from 'node:dgram';
import { type ListenAddress, ListenError } from '../../../service/listen.ts';

export interface UdpSocketOptions {
  /** The kernel's receive buffer, bytes. */
  readonly bufferBytes: number;
  readonly onDatagram: (datagram: Uint8Array) => void;
  readonly note: (message: string) => void;
}

/** A free port of one family may be taken in the other: so many times another one is tried. */
const FREE_PORT_TRIES = 8;

/** Resolves when the port is open. Throws ListenError. */
export async function openSockets(
  listen: ListenAddress,
  options: UdpSocketOptions,
): Promise<readonly Socket[]> {
  if (listen.host !== 'localhost') return [await open(listen, options)];
  for (let tries = 1; ; tries++) {
    const v4 = await open({ ...listen, host: '127.0.0.1' }, options);
    try {
      const v6 = { ...listen, host: '::1', port: v4.address().port };
      return [v4, await open(v6, options)];
    } catch (error) {
      const code = codeOf(error instanceof ListenError ? error.cause : error);
      if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') {
        const here = 'no IPv6 loopback on this machine, listening on 127.0.0.1 only';
        options.note(`${listen.setting}: ${here}`);
        return [v4];
      }
      await closeSocket(v4);
      if (listen.port !== 0 || tries === FREE_PORT_TRIES) throw error;
    }
  }
}

/** As clients would write it. */
export function addressOf(socket: Socket): string {
  const { address, port, family } = socket.address();
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

export function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}

function open(listen: ListenAddress, options: UdpSocketOptions): Promise<Socket> {
  const { host, port } = listen;
  const socket = createSocket({
    type: host.includes(':') ? 'udp6' : 'udp4',
    // On loopback each family has its own socket; `::` takes both.
    ipv6Only: host === '::1',
    recvBufferSize: options.bufferBytes,
  });
  socket.on('message', options.onDatagram);
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.close();
      reject(new ListenError(explain(error, listen), error));
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

function explain(error: Error, { host, port, setting }: ListenAddress): string {
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
