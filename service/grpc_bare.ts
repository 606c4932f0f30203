// Methods that are answered on the bare HTTP/2 stream, beside grpc-js on the same connections. What
// grpc-js does for a call (a dozen objects, a promise for each frame) costs three times what
// node:http2 does (docs/adr/0012); what it does for a connection is kept: settings, keepalive, idle
// time, age, GOAWAY.
//
// For that it reads private members of grpc-js's server: `_streamHandler` and `closeSession`, which it
// replaces, `onStreamOpened`, `sessionIdleTimeouts` and `commonServerOptions`. The version of grpc-js
// is pinned; grpc_listener.test.ts fails if they go, and so does every call.

import {
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import type { MemoryBudget } from './memory_budget.ts';

/** Answers one call on its stream, refusals included; never throws. */
export type BareMethod = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** By `:path`. */
export type BareMethods = ReadonlyMap<string, BareMethod>;

/**
 * So much may come in before the sender must wait for us to say more: a stock client's largest
 * message in one stream. It takes no memory, as everything is read at once; what bounds memory is
 * the budget.
 */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
const SESSION_WINDOW_BYTES = 16 * 1024 * 1024;

/** What grpc-js still answers: health and reflection, whose requests are names. */
const SMALL_BYTES_MAX = 64 * 1024;
const SMALL_TIME_MS = 60_000;

/** grpc-js joins frames into a copy and keeps both; each frame is an object besides. */
const COPIES = 2;
const FRAME_OVERHEAD_BYTES = 256;

/**
 * A connection that is idle, or asked to go, is closed by GOAWAY and waits for its streams: one whose
 * headers never end would keep it open for good. It gets so long to become a call.
 */
const UNFINISHED_MS = 1000;

interface Inner {
  readonly commonServerOptions: { settings: Record<string, unknown> };
  readonly sessionIdleTimeouts: ReadonlyMap<ServerHttp2Session, { readonly activeStreams: number }>;
  closeSession(session: ServerHttp2Session, closed?: () => void): void;
  _streamHandler(extra: unknown, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void;
  onStreamOpened(stream: ServerHttp2Stream): void;
}

/** Before the server gets its first connection. `budget` is charged for what grpc-js gathers. */
export function addBareMethods(server: Server, methods: BareMethods, budget?: MemoryBudget): void {
  const inner = server as unknown as Inner;
  const { settings } = inner.commonServerOptions;
  settings['initialWindowSize'] = STREAM_WINDOW_BYTES;
  const { closeSession } = inner;
  inner.closeSession = (session, closed) => {
    closeSession.call(inner, session, closed);
    const cut = (): void => {
      if ((inner.sessionIdleTimeouts.get(session)?.activeStreams ?? 0) === 0) session.destroy();
    };
    setTimeout(cut, UNFINISHED_MS).unref();
  };
  const rest = inner._streamHandler;
  const widened = new WeakSet<ServerHttp2Session>();
  inner._streamHandler = (extra, stream, headers) => {
    const { session } = stream;
    if (session !== undefined && !widened.has(session as ServerHttp2Session)) {
      widened.add(session as ServerHttp2Session);
      session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    }
    const method = methods.get(String(headers[':path']));
    if (method === undefined) {
      if (budget !== undefined) guard(stream, budget);
      rest.call(inner, extra, stream, headers);
      return;
    }
    inner.onStreamOpened(stream);
    method(stream, headers);
  };
}

/** grpc-js gathers without asking anyone, and waits for ever: this ends what is large or slow. */
function guard(stream: ServerHttp2Stream, budget: MemoryBudget): void {
  let received = 0;
  let charged = 0;
  const end = (): void => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  const slow = setTimeout(end, SMALL_TIME_MS);
  stream.prependListener('data', (chunk: Buffer) => {
    received += chunk.length;
    const bytes = chunk.length * COPIES + FRAME_OVERHEAD_BYTES;
    if (received > SMALL_BYTES_MAX || !budget.tryReserve(bytes)) end();
    else charged += bytes;
  });
  stream.once('end', () => clearTimeout(slow));
  stream.once('close', () => {
    clearTimeout(slow);
    budget.release(charged);
  });
}
