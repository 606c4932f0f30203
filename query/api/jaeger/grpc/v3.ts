// jaeger.api_v3.QueryService (proto/jaeger/api_v3/query_service.proto). Traces are OTLP's TracesData.

import { encodeSpans } from '../../../../model/codec/otlp/encode.ts';
import type { Span } from '../../../../model/span.ts';
import { RefusalError } from '../../../../service/refusal.ts';
import type { TraceKey } from '../../../../storage/clickhouse/statement.ts';
import { Breath } from '../../../breath.ts';
import { findTraces } from '../../../find.ts';
import { traceKeyOf } from '../../../get.ts';
import type { QueryDeps } from '../../../http_answer.ts';
import { summarize } from '../../../summaries.ts';
import { shownChunks } from '../shown.ts';
import { shownTraces } from '../shown_traces.ts';
import type { GrpcCall, GrpcService } from './call.ts';
import { listMethods } from './lists.ts';
import { summariesProto } from './messages.ts';
import { readV3Find, readV3Get } from './requests.ts';

export function queryServiceV3(deps: QueryDeps): GrpcService {
  const { select } = deps;
  return {
    name: 'jaeger.api_v3.QueryService',
    unary: {
      ...listMethods(deps, 3, (name) => `${name} is required`),
    },
    streams: {
      GetTrace: async function* (call) {
        const { key, raw } = call.read(readV3Get);
        await call.enter();
        let isThere = false;
        for await (const message of traceMessages(call, deps, [key], raw)) {
          isThere = true;
          yield message;
        }
        if (!isThere) throw new RefusalError({ code: 'not_found', message: 'trace not found' });
      },
      FindTraces: async function* (call) {
        const { query, raw } = call.read((request) => readV3Find(request, call.tenant));
        await call.enter();
        const keys = keysOf(await findTraces(select, query, call.signal));
        yield* traceMessages(call, deps, keys, raw);
      },
      FindTraceSummaries: async function* ({ read, tenant, signal, enter }) {
        const { query } = read((request) => readV3Find(request, tenant));
        await enter();
        const keys = keysOf(await findTraces(select, query, signal));
        for (let at = 0; at < keys.length; at += SUMMARIES_PER_MESSAGE) {
          const some = keys.slice(at, at + SUMMARIES_PER_MESSAGE);
          yield summariesProto(await summarize(select, tenant, some, signal, deps.memory));
        }
      },
    },
  };
}

/** As many as one statement reads. */
const SUMMARIES_PER_MESSAGE = 200;

/** A message of at most about this size; a stock client takes 4 MiB. */
const MESSAGE_BYTES_MAX = 1024 * 1024;

function keysOf(found: readonly { readonly traceId: string }[]): TraceKey[] {
  return found.map(({ traceId }) => traceKeyOf(traceId)!);
}

/** Each message holds spans of one trace only. */
async function* traceMessages(
  { tenant, signal }: GrpcCall,
  deps: QueryDeps,
  keys: readonly TraceKey[],
  raw: boolean,
): AsyncGenerator<Uint8Array, void> {
  const breath = new Breath();
  const view = { raw, clockSkewNanosMax: deps.clockSkewNanosMax };
  for await (const trace of shownTraces(deps, tenant, keys, signal)) {
    for await (const chunk of shownChunks(trace, view)) {
      for (const message of messagesOf(chunk)) {
        yield message;
        const pause = breath.step();
        if (pause !== undefined) await pause;
      }
    }
  }
}

/** Seldom more than one: where spans are large, half of them at a time. */
function* messagesOf(spans: readonly Span[]): Generator<Uint8Array, void> {
  const message = encodeSpans(spans);
  if (message.length <= MESSAGE_BYTES_MAX || spans.length === 1) {
    yield message;
    return;
  }
  const half = spans.length >>> 1;
  yield* messagesOf(spans.slice(0, half));
  yield* messagesOf(spans.slice(half));
}
