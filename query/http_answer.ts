// What all HTTP APIs of the query service share: who asks, until when, in which turn, and how an
// answer goes out. The words of an error are each API's own.

import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../service/clock.ts';
import type { Log } from '../service/log.ts';
import { REFUSAL_WIRE } from '../service/refusal.ts';
import type { ArchiveWriter } from '../storage/clickhouse/archive.ts';
import type { Select } from '../storage/clickhouse/select.ts';
import type { AnswerMemory } from './answer_memory.ts';
import { COMPRESS_BYTES_MIN, codingOf, compress } from './compress.ts';
import type { Gate } from './gate.ts';
import { refusalOf } from './refusal_of.ts';

/** What answers are made from; one for all APIs of the process. */
export interface QueryDeps {
  readonly select: Select;
  readonly gate: Gate;
  readonly memory: AnswerMemory;
  readonly tenant: string;
  readonly clock: Clock;
  readonly log: Log;
  /** By how much Jaeger's APIs may move a span of another host, to fit into its parent. */
  readonly clockSkewNanosMax: bigint;
  /** Where traces are kept past the retention; undefined: nowhere. */
  readonly archive?: ArchiveWriter;
}

/** One request. */
export interface Context {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Of the query string. */
  readonly params: URLSearchParams;
  /** Whose spans are asked for; nothing in a request can set it. */
  readonly tenant: string;
  /** Aborted when the client is gone or the request takes too long. */
  readonly signal: AbortSignal;
}

export type Answer = (context: Context) => Promise<FastifyReply>;
/** Sends an error in the words of one API; headers that all of them share are set already. */
export type SendError = (reply: FastifyReply, status: number, message: string) => FastifyReply;

/** The whole of one request, all its statements together: a client has given up by then. */
export const REQUEST_MS_MAX = 60_000;
/** A client that takes no byte for so long holds a trace in memory for nothing. */
export const STALLED_MS_MAX = 30_000;

/** Runs `answer`; what it throws is sent by `sendError`, with the status of its refusal. */
export async function serve(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: QueryDeps,
  answer: Answer,
  sendError: SendError,
): Promise<FastifyReply> {
  const params = new URLSearchParams(request.raw.url?.split('?', 2)[1] ?? '');
  try {
    return await answer({ request, reply, params, tenant: deps.tenant, signal: signalOf(reply) });
  } catch (error) {
    const { code, message, retryAfterMs } = refusalOf(error);
    if (code === 'internal') deps.log.error('a query failed', { error });
    if (retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(retryAfterMs / 1000));
    return sendError(reply, REFUSAL_WIRE[code].http, message);
  }
}

function signalOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return AbortSignal.any([gone.signal, AbortSignal.timeout(REQUEST_MS_MAX)]);
}

/**
 * Waits for a turn before dear work. It is given back when the last byte has gone out, or the
 * client has. Throws RefusalError `busy`.
 */
export async function enter(context: Context, { gate }: QueryDeps): Promise<void> {
  atEnd(context, await gate.enter(context.signal));
}

/** Calls `done` when the last byte has gone out, or the client has; now, if that is so already. */
export function atEnd({ reply }: Pick<Context, 'reply'>, done: () => void): void {
  if (reply.raw.closed) done();
  else reply.raw.once('close', done);
}

/**
 * The first of what an answer is made from: what fails before it can be answered as a failure. Once
 * begun, `source` holds memory, and a body that nobody came to read would never end it.
 */
export async function firstOf<T>(
  context: Pick<Context, 'reply'>,
  source: AsyncGenerator<T, void>,
): Promise<IteratorResult<T, void>> {
  const first = await source.next();
  atEnd(context, () => void source.return());
  return first;
}

/** A whole answer, compressed where that is worth it. */
export function sendText({ request, reply }: Context, type: string, text: string): FastifyReply {
  reply.type(type);
  return text.length < COMPRESS_BYTES_MIN
    ? reply.send(text)
    : sendBody(request, reply, Readable.from([text]));
}

/** An answer in pieces, written as the client takes them. */
export function sendPieces(
  { request, reply, signal }: Context,
  { log }: QueryDeps,
  type: string,
  pieces: AsyncIterable<string>,
): FastifyReply {
  const body = Readable.from(pieces);
  body.once('error', (error) => {
    if (!signal.aborted) log.error('an answer broke off', { error });
  });
  reply.raw.setTimeout(STALLED_MS_MAX, () => reply.raw.destroy());
  reply.type(type);
  return sendBody(request, reply, body);
}

function sendBody(request: FastifyRequest, reply: FastifyReply, body: Readable): FastifyReply {
  const coding = codingOf(request.headers['accept-encoding']);
  reply.header('vary', 'accept-encoding');
  if (coding === undefined) return reply.send(body);
  return reply.header('content-encoding', coding).send(compress(body, coding));
}

/** The clock of the process in nanoseconds since 1970. */
export function nowUnixNanos(clock: Clock): bigint {
  return BigInt(Math.floor(clock.nowMs())) * 1_000_000n;
}
