// Jaeger's classic HTTP API: /api/services, /api/operations, /api/traces (jaeger.md §2.1).

import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { SpanKind } from '../../../model/span.ts';
import type { Clock } from '../../../service/clock.ts';
import type { Log } from '../../../service/log.ts';
import { REFUSAL_WIRE, RefusalError } from '../../../service/refusal.ts';
import type { Select } from '../../../storage/clickhouse/select.ts';
import { type TraceKey, traceIdText } from '../../../storage/clickhouse/statement.ts';
import type { AnswerMemory } from '../../answer_memory.ts';
import { COMPRESS_BYTES_MIN, codingOf, compress } from '../../compress.ts';
import { listDependencies } from '../../dependencies.ts';
import { findTraces } from '../../find.ts';
import type { Gate } from '../../gate.ts';
import { type FoundTrace, getTraces, traceKeyOf } from '../../get.ts';
import { listOperations, listServices } from '../../lists.ts';
import { refusalOf } from '../../refusal_of.ts';
import { KIND_NAMES } from '../../tags.ts';
import {
  dataEnvelope,
  type EnvelopeError,
  errorEnvelope,
  listEnvelope,
  tracesEnvelope,
} from './envelope.ts';
import { quote } from './go_duration.ts';
import { PrettyPrinter } from './pretty.ts';
import {
  boolParam,
  boundedName,
  parseDependencies,
  parsePathTraceId,
  parseSearch,
  timeParam,
} from './search_params.ts';
import { jaegerTraceId } from './span_json.ts';
import { traceJson } from './trace_json.ts';

export interface JaegerOptions {
  readonly select: Select;
  readonly gate: Gate;
  readonly memory: AnswerMemory;
  readonly tenant: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The whole of one request, all its statements together: a client has given up by then. */
const REQUEST_MS_MAX = 60_000;
/** A client that takes no byte for so long holds a trace in memory for nothing. */
const STALLED_MS_MAX = 30_000;

const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';

export function registerJaeger(app: FastifyInstance, options: JaegerOptions): void {
  const { select, tenant } = options;
  const route = (path: string, answer: Answer): void => {
    app.get(path, (request, reply) => serve(request, reply, options, answer));
  };
  route('/api/services', async ({ signal, sendJson }) => {
    return sendJson(listEnvelope(await listServices(select, tenant, signal)));
  });
  route('/api/services/:service/operations', async ({ request, signal, sendJson }) => {
    const { service } = request.params as { service: string };
    const operations = await listOperations(select, tenant, { service }, signal);
    const names = new Set(operations.map((operation) => operation.name));
    return sendJson(listEnvelope([...names]));
  });
  route('/api/operations', async ({ params, signal, sendJson }) => {
    const of = operationsOf(params);
    const operations = await listOperations(select, tenant, of, signal);
    const data = operations.map(({ name, kind }) => ({ name, spanKind: KIND_NAMES[kind] }));
    return sendJson(listEnvelope(data));
  });
  route('/api/traces', (context) => searchTraces(context, options));
  route('/api/traces/:traceId', (context) => oneTrace(context, options));
  route('/api/dependencies', (context) => dependencies(context, options));
  // As Jaeger answers that has neither an archive nor a store of metrics.
  app.post('/api/archive/:traceId', (request, reply) =>
    serve(request, reply, options, async () => {
      parsePathTraceId((request.params as { traceId: string }).traceId);
      return sendError(reply, 500, 'archive span storage was not configured');
    }),
  );
  route('/api/metrics/*', async ({ reply }) =>
    sendError(reply, 501, 'metrics querying is currently disabled'),
  );
}

interface Context {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly params: URLSearchParams;
  /** Aborted when the client is gone or the request takes too long. */
  readonly signal: AbortSignal;
  sendJson(json: string): FastifyReply;
}

type Answer = (context: Context) => Promise<FastifyReply>;

async function serve(
  request: FastifyRequest,
  reply: FastifyReply,
  options: JaegerOptions,
  answer: Answer,
): Promise<FastifyReply> {
  const params = new URLSearchParams(request.raw.url?.split('?', 2)[1] ?? '');
  const pretty = isPretty(params);
  const sendJson = (json: string): FastifyReply => {
    const text = pretty ? new PrettyPrinter().write(json) : json;
    reply.type(JSON_TYPE);
    return text.length < COMPRESS_BYTES_MIN
      ? reply.send(text)
      : sendBody(request, reply, Readable.from([text]));
  };
  try {
    return await answer({ request, reply, params, signal: signalOf(reply), sendJson });
  } catch (error) {
    const { code, message, retryAfterMs } = refusalOf(error);
    const status = REFUSAL_WIRE[code].http;
    if (code === 'internal') options.log.error('a query failed', { error });
    if (retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(retryAfterMs / 1000));
    return sendError(reply, status, message);
  }
}

/** As Go's http.Error: plain text by its type, JSON by its content. */
function sendError(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply
    .code(status)
    .type(TEXT_TYPE)
    .send(`${errorEnvelope(status, message)}\n`);
}

function isPretty(params: URLSearchParams): boolean {
  const text = params.get('prettyPrint') ?? '';
  return text !== '' && text !== 'false';
}

function signalOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return AbortSignal.any([gone.signal, AbortSignal.timeout(REQUEST_MS_MAX)]);
}

function operationsOf(params: URLSearchParams): { service: string; kind?: SpanKind } {
  const service = boundedName(params, 'service');
  if (service === undefined) throw malformed(`parameter 'service' is required`);
  const name = params.get('spanKind') ?? '';
  if (name === '') return { service };
  const kind = (KIND_NAMES as readonly string[]).indexOf(name.toLowerCase());
  if (kind === -1) {
    throw malformed(
      `'spanKind' should be internal, server, client, producer or consumer, received ${quote(name)}`,
    );
  }
  return { service, kind: kind as SpanKind };
}

function malformed(message: string): RefusalError {
  return new RefusalError({ code: 'malformed', message });
}

async function searchTraces(context: Context, options: JaegerOptions): Promise<FastifyReply> {
  const { params, signal } = context;
  const { select, tenant, clock } = options;
  const asked = parseSearch(params, tenant, nowUnixNanos(clock));
  const raw = boolParam(params, 'raw');
  await enter(context, options);
  if (asked.type === 'get') return await sendTraces(context, options, asked.ids, raw, missing);
  const found = await findTraces(select, asked.query, signal);
  const ids = found.map((trace) => traceKeyOf(trace.traceId)!);
  return await sendTraces(context, options, ids, raw, () => []);
}

/** `start` and `end` are hints to other stores; ours knows when a trace was. */
async function oneTrace(context: Context, options: JaegerOptions): Promise<FastifyReply> {
  const { request, params } = context;
  const { traceId } = request.params as { traceId: string };
  const id = parsePathTraceId(traceId);
  timeParam(params, 'start');
  timeParam(params, 'end');
  const raw = boolParam(params, 'raw');
  await enter(context, options);
  return await sendTraces(context, options, [id], raw, (ids) => {
    if (ids.length > 0) throw new RefusalError({ code: 'not_found', message: 'trace not found' });
    return [];
  });
}

async function dependencies(context: Context, options: JaegerOptions): Promise<FastifyReply> {
  const { params, signal } = context;
  const { select, tenant, clock } = options;
  const filter = parseDependencies(params, tenant, nowUnixNanos(clock));
  await enter(context, options);
  return context.sendJson(dataEnvelope(await listDependencies(select, filter, signal)));
}

function nowUnixNanos(clock: Clock): bigint {
  return BigInt(Math.floor(clock.nowMs())) * 1_000_000n;
}

function missing(ids: readonly TraceKey[]): EnvelopeError[] {
  return ids.map((id) => ({ msg: 'trace not found', traceID: jaegerTraceId(traceIdText(id)) }));
}

/** The place is given back when the last byte has gone out, or the client has. */
async function enter({ reply, signal }: Context, options: JaegerOptions): Promise<void> {
  const leave = await options.gate.enter(signal);
  reply.raw.once('close', leave);
  if (reply.raw.closed) leave();
}

/** `errorsOf` is told the ids that are not there, once that is known. */
async function sendTraces(
  { request, reply, params, signal }: Context,
  { select, tenant, log, memory }: JaegerOptions,
  ids: readonly TraceKey[],
  raw: boolean,
  errorsOf: (missing: readonly TraceKey[]) => readonly EnvelopeError[],
): Promise<FastifyReply> {
  const there = new Set<string>();
  const traces = getTraces(select, tenant, ids, signal, memory);
  // Waited for before the status goes out: what fails early is answered as a failure.
  const first = await traces.next();
  const errors = (): readonly EnvelopeError[] =>
    errorsOf(ids.filter((id) => !there.has(traceIdText(id))));
  if (first.done) errors();
  const pieces = tracesEnvelope(
    eachTrace(first, traces, (trace) => {
      there.add(trace.traceId);
      return traceJson(trace, raw);
    }),
    errors,
  );
  const body = Readable.from(isPretty(params) ? prettily(pieces) : pieces);
  body.once('error', (error) => {
    if (!signal.aborted) log.error('an answer broke off', { error });
  });
  reply.raw.setTimeout(STALLED_MS_MAX, () => reply.raw.destroy());
  reply.type(JSON_TYPE);
  return sendBody(request, reply, body);
}

function sendBody(request: FastifyRequest, reply: FastifyReply, body: Readable): FastifyReply {
  const coding = codingOf(request.headers['accept-encoding']);
  reply.header('vary', 'accept-encoding');
  if (coding === undefined) return reply.send(body);
  return reply.header('content-encoding', coding).send(compress(body, coding));
}

async function* eachTrace(
  first: IteratorResult<FoundTrace, void>,
  rest: AsyncIterable<FoundTrace>,
  write: (trace: FoundTrace) => AsyncIterable<string>,
): AsyncGenerator<AsyncIterable<string>, void> {
  if (first.done) return;
  yield write(first.value);
  for await (const trace of rest) yield write(trace);
}

async function* prettily(pieces: AsyncIterable<string>): AsyncGenerator<string, void> {
  const printer = new PrettyPrinter();
  for await (const piece of pieces) yield printer.write(piece);
}
