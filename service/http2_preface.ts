// HTTP/1.1 and gRPC on one port. An HTTP/2 client that knows what it speaks to begins with
// `PRI * HTTP/2.0…` (RFC 9113 §3.4), and PRI is reserved so that no HTTP/1 request can: three bytes
// tell the two apart, and are put back before anyone else reads them. With TLS, the handshake tells.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { type TLSSocket, Server as TlsServer } from 'node:tls';
import type { GrpcConnections } from './grpc_listener.ts';

const PREFACE = Buffer.from('PRI');

/** Hands each connection of `server` to itself or to `grpc`; one that says nothing is closed. */
export function splitConnections(server: Server, grpc: GrpcConnections, timeMs: number): void {
  if (server instanceof TlsServer) splitTlsConnections(server, grpc);
  else splitPlainConnections(server, grpc, timeMs);
}

function splitTlsConnections(server: TlsServer, grpc: GrpcConnections): void {
  const [takeHttp] = server.listeners('secureConnection');
  if (takeHttp === undefined) throw new Error("Node's HTTPS server takes no connections");
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') grpc.take(socket);
    else takeHttp.call(server, socket);
  });
}

function splitPlainConnections(server: Server, grpc: GrpcConnections, timeMs: number): void {
  const [takeHttp] = server.listeners('connection');
  if (takeHttp === undefined) throw new Error("Node's HTTP server takes no connections");
  server.removeAllListeners('connection');
  const waiting = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    waiting.add(socket);
    socket.once('close', () => waiting.delete(socket));
    peek(socket, timeMs, (isHttp2) => {
      waiting.delete(socket);
      if (isHttp2) grpc.take(socket);
      else takeHttp.call(server, socket);
    });
  });
  // The HTTP server does not know of them yet, so it cannot close them as idle.
  const close = server.close.bind(server);
  server.close = (callback) => {
    for (const socket of waiting) socket.destroy();
    return close(callback);
  };
}

function peek(socket: Socket, timeMs: number, found: (isHttp2: boolean) => void): void {
  const drop = (): void => void socket.destroy();
  const timer = setTimeout(drop, timeMs);
  const done = (isHttp2: boolean | undefined): void => {
    clearTimeout(timer);
    socket.off('readable', read).off('close', close).off('error', drop);
    if (isHttp2 !== undefined) found(isHttp2);
  };
  const close = (): void => done(undefined);
  let start: Buffer = Buffer.alloc(0);
  function read(): void {
    const more = socket.read() as Buffer | null;
    if (more === null) return;
    start = start.length === 0 ? more : Buffer.concat([start, more]);
    const length = Math.min(start.length, PREFACE.length);
    const fits = start.subarray(0, length).equals(PREFACE.subarray(0, length));
    // Too few bytes to know are kept here: put back, they would be read again at once, for ever.
    if (fits && length < PREFACE.length) return;
    socket.unshift(start);
    done(fits);
  }
  socket.on('readable', read).once('close', close).on('error', drop);
}
