// The one place that opens HTTP/1.1 servers: both loopback families, every limit set, foreign Host
// names refused on loopback, and no input that ends the process.
//
//   const http = await openHttp({ host: 'localhost', port: 4318, setting: 'listen.otlp_http',
//                                 handler });
//   …
//   await http.stop(graceMs);
//
// fastify: `const app = fastify(…); await app.ready();` and `handler: (q, r) => app.routing(q, r)`.

import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { GrpcConnections } from './grpc_listener.ts';
import { hostAllowed, isSimpleContentType } from './host_check.ts';
import { splitConnections } from './http2_preface.ts';
import { type Bound, bind, type ListenAddress } from './listen.ts';
import type { Tls } from './tls.ts';

export interface HttpLimits {
  /** Connections on one listener; past it a new one is closed unread. */
  readonly connectionsMax: number;
  /** All headers of one request. */
  readonly headerBytesMax: number;
  /** From the first byte of a request to the end of its headers. */
  readonly headerTimeMs: number;
  /** From the first byte of a request to the end of its body. */
  readonly requestTimeMs: number;
  /** How long an idle connection is kept for the next request. */
  readonly idleTimeMs: number;
}

/** Each is explained where an operator can change it: service/config_schema.ts. */
export const HTTP_LIMITS: HttpLimits = {
  connectionsMax: 1000,
  headerBytesMax: 16 * 1024,
  headerTimeMs: 10_000,
  requestTimeMs: 60_000,
  idleTimeMs: 120_000,
};

/** After so many requests a connection is closed, so that load balancers can spread anew. */
const REQUESTS_PER_CONNECTION_MAX = 100_000;

/** How often stalled requests are looked for; Node's 30 s would triple a 10 s header time. */
const STALL_CHECK_MS = 1000;

/** Time to read why a connection is closed; a close at once can be a reset that destroys the answer. */
const ERROR_LINGER_MS = 1000;

/** How often a stopping listener closes the connections that have become idle. */
const DRAIN_CHECK_MS = 25;

export interface HttpListenerOptions extends ListenAddress {
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;
  readonly limits?: Partial<HttpLimits>;
  /** Plain HTTP when absent. */
  readonly tls?: Tls;
  /** Gets the connections that begin as HTTP/2, where one port has both. */
  readonly grpc?: GrpcConnections;
  /** Host names beside the loopback ones that a loopback listener answers to. */
  readonly allowedHosts?: readonly string[];
  /** Told about a missing IPv6; one sentence. */
  readonly note?: (message: string) => void;
  /** Told when the handler threw (a bug of ours); the client has got a 500. */
  readonly onBug?: (error: unknown) => void;
}

/** What every listener of the process can do: this one, and the gRPC one. */
export interface Listener {
  readonly port: number;
  /** As clients would write them: `127.0.0.1:4318`, `[::1]:4318`. */
  readonly addresses: readonly string[];
  /** No new connections; running requests may end within `graceMs`, then they are cut. */
  stop(graceMs: number): Promise<void>;
}

/** Resolves when the port is open. Throws ListenError (service/listen.ts). */
export async function openHttp(options: HttpListenerOptions): Promise<Listener> {
  const limits = { ...HTTP_LIMITS, ...options.limits };
  const state: State = { stopping: false, loopback: true };
  const make = (): Server => {
    const server = createServerOf(options, limits, (request, response) => {
      serve(request, response, options, state);
    });
    server.maxConnections = limits.connectionsMax;
    server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION_MAX;
    server.on('clientError', answerClientError);
    if (options.grpc !== undefined) splitConnections(server, options.grpc, limits.headerTimeMs);
    return server;
  };
  const bound = await bind(make, options, options.note ?? (() => undefined));
  state.loopback = bound.loopback;
  return {
    port: bound.port,
    addresses: bound.addresses,
    stop: (graceMs) => {
      state.stopping = true;
      options.grpc?.drain();
      return stop(bound, graceMs);
    },
  };
}

function createServerOf(
  { tls, grpc }: HttpListenerOptions,
  limits: HttpLimits,
  handler: RequestListener,
): Server {
  if (tls === undefined) return createServer(serverOptions(limits), handler);
  const alpn = grpc === undefined ? (['http/1.1'] as const) : (['h2', 'http/1.1'] as const);
  const server = createTlsServer({ ...serverOptions(limits), ...tls.options(alpn) }, handler);
  tls.follow(server);
  return server;
}

interface State {
  stopping: boolean;
  loopback: boolean;
}

function serverOptions(limits: HttpLimits): ServerOptions {
  return {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: Math.min(limits.headerTimeMs, limits.requestTimeMs),
    requestTimeout: limits.requestTimeMs,
    keepAliveTimeout: limits.idleTimeMs,
    connectionsCheckingInterval: STALL_CHECK_MS,
    noDelay: true,
  };
}

function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpListenerOptions,
  state: State,
): void {
  if (state.stopping) response.setHeader('connection', 'close');
  if (state.loopback) {
    if (!hostAllowed(request.headers.host, options.allowedHosts ?? [])) {
      refuse(response, 403, FOREIGN_HOST);
      return;
    }
    // What a browser says of a page from here itself; no page can say it (Fetch Metadata).
    const isOurs = request.headers['sec-fetch-site'] === 'same-origin';
    if (!isOurs && isSimpleContentType(request.headers['content-type'])) {
      refuse(response, 415, SIMPLE_TYPE);
      return;
    }
  }
  const failed = (error: unknown): void => {
    options.onBug?.(error);
    if (response.headersSent) response.destroy();
    else
      refuse(
        response,
        500,
        'an error of ours, which has been logged; the request may be wrong too',
      );
  };
  try {
    Promise.resolve(options.handler(request, response)).catch(failed);
  } catch (error) {
    failed(error);
  }
}

const FOREIGN_HOST =
  'this listener is on loopback and answers to localhost only: ' +
  'use that name, or list the Host in http.allowed_hosts';
const SIMPLE_TYPE =
  'text/plain and form bodies are refused on loopback, as any web page could send them: ' +
  'name the real content type';

/** The body is left unread, so the connection cannot be used again. */
function refuse(response: ServerResponse, status: number, message: string): void {
  const body = `${message}\n`;
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    connection: 'close',
  });
  response.end(body);
}

const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Content Too Large',
};

/**
 * Bytes that are no HTTP: one status line, never an echo of what came. Node looks after the connection
 * no longer: one whose other side never closes, or never began its TLS, would stay for good.
 */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  const timer = setTimeout(() => socket.destroy(), ERROR_LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}

async function stop(bound: Bound<Server>, graceMs: number): Promise<void> {
  const closed = bound.servers.map(
    (server) => new Promise<void>((resolve) => server.close(() => resolve())),
  );
  const sweep = setInterval(() => {
    for (const server of bound.servers) server.closeIdleConnections();
  }, DRAIN_CHECK_MS);
  const cut = setTimeout(() => bound.cut(), graceMs);
  await Promise.all(closed);
  clearInterval(sweep);
  clearTimeout(cut);
}
