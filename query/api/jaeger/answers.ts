// How answers of Jaeger's classic API go out: small ones whole, traces in pieces, errors as Go has them.

import type { FastifyReply } from 'fastify';
import { RefusalError } from '../../../service/refusal.ts';
import { type TraceKey, traceIdText } from '../../../storage/clickhouse/statement.ts';
import { type Context, firstOf, type QueryDeps, sendPieces, sendText } from '../../http_answer.ts';
import type { StoredTrace } from '../../stored_trace.ts';
import { type Ending, errorEnvelope, tracesEnvelope } from './envelope.ts';
import { PrettyPrinter } from './pretty.ts';
import { traceJson } from './trace_json.ts';

const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';

export function sendJson(context: Context, json: string): FastifyReply {
  const text = isPretty(context.params) ? new PrettyPrinter().write(json) : json;
  return sendText(context, JSON_TYPE, text);
}

/** As Go's http.Error: plain text by its type, JSON by its content. */
export function sendError(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply
    .code(status)
    .type(TEXT_TYPE)
    .send(`${errorEnvelope(status, message)}\n`);
}

function isPretty(params: URLSearchParams): boolean {
  const text = params.get('prettyPrint') ?? '';
  return text !== '' && text !== 'false';
}

/** For one trace that was asked for by its id. Throws RefusalError `not_found`. */
export function allFound(missing: readonly TraceKey[]): Ending {
  if (missing.length === 0) return { errors: [] };
  throw new RefusalError({ code: 'not_found', message: 'trace not found' });
}

/** `endingOf` is told the ids that are not among the traces, once that is known. */
export async function sendTraces(
  context: Context,
  deps: QueryDeps,
  ids: readonly TraceKey[],
  traces: AsyncGenerator<StoredTrace, void>,
  raw: boolean,
  endingOf: (missing: readonly TraceKey[]) => Ending,
): Promise<FastifyReply> {
  const there = new Set<string>();
  const view = { raw, clockSkewNanosMax: deps.clockSkewNanosMax };
  const first = await firstOf(context, traces);
  const ending = (): Ending => endingOf(ids.filter((id) => !there.has(traceIdText(id))));
  if (first.done) ending();
  const pieces = tracesEnvelope(
    eachTrace(first, traces, (trace) => {
      there.add(trace.traceId);
      return traceJson(trace, view);
    }),
    ending,
  );
  return sendJsonPieces(context, deps, pieces);
}

/** As sendJson, written as the client takes it. */
export function sendJsonPieces(
  context: Context,
  deps: QueryDeps,
  pieces: AsyncIterable<string>,
): FastifyReply {
  const isIndented = isPretty(context.params);
  return sendPieces(context, deps, JSON_TYPE, isIndented ? prettily(pieces) : pieces);
}

async function* eachTrace(
  first: IteratorResult<StoredTrace, void>,
  rest: AsyncIterable<StoredTrace>,
  write: (trace: StoredTrace) => AsyncIterable<string>,
): AsyncGenerator<AsyncIterable<string>, void> {
  if (first.done) return;
  yield write(first.value);
  for await (const trace of rest) yield write(trace);
}

async function* prettily(pieces: AsyncIterable<string>): AsyncGenerator<string, void> {
  const printer = new PrettyPrinter();
  for await (const piece of pieces) yield printer.write(piece);
}
