// jaeger.api_v2.QueryService (proto/jaeger/api_v2/query.proto).

import { setImmediate } from 'node:timers/promises';
import { RefusalError } from '../../../../service/refusal.ts';
import type { TraceKey } from '../../../../storage/clickhouse/statement.ts';
import { archiveTrace } from '../../../archive.ts';
import { Breath } from '../../../breath.ts';
import { findTraces } from '../../../find.ts';
import { traceKeyOf } from '../../../get.ts';
import { nowUnixNanos, type QueryDeps } from '../../../http_answer.ts';
import { shownSpans } from '../shown.ts';
import { shownTraces } from '../shown_traces.ts';
import type { GrpcCall, GrpcService } from './call.ts';
import { listMethods } from './lists.ts';
import { readV2Find, readV2Get } from './requests.ts';
import { SpanChunks } from './span_proto.ts';

export function queryServiceV2(deps: QueryDeps): GrpcService {
  const { select } = deps;
  return {
    name: 'jaeger.api_v2.QueryService',
    unary: {
      ...listMethods(deps, 2, () => 'StartTime and EndTime must be initialized.'),
      ArchiveTrace: async ({ read, tenant, signal, enter }) => {
        const { key } = read(readV2Get);
        await enter();
        await archiveTrace(deps, tenant, key, signal);
        return new Uint8Array(0);
      },
    },
    streams: {
      GetTrace: async function* (call) {
        const { key, raw } = call.read(readV2Get);
        await call.enter();
        let isThere = false;
        for await (const message of spanMessages(call, deps, [key], raw)) {
          isThere = true;
          yield message;
        }
        if (!isThere) throw new RefusalError({ code: 'not_found', message: 'trace not found' });
      },
      FindTraces: async function* (call) {
        const now = nowUnixNanos(deps.clock);
        const { query, raw } = call.read((request) => readV2Find(request, call.tenant, now));
        await call.enter();
        const found = await findTraces(select, query, call.signal);
        const keys = found.map(({ traceId }) => traceKeyOf(traceId)!);
        yield* spanMessages(call, deps, keys, raw);
      },
    },
  };
}

async function* spanMessages(
  { tenant, signal }: GrpcCall,
  deps: QueryDeps,
  keys: readonly TraceKey[],
  raw: boolean,
): AsyncGenerator<Uint8Array, void> {
  const breath = new Breath();
  const view = { raw, clockSkewNanosMax: deps.clockSkewNanosMax };
  for await (const trace of shownTraces(deps, tenant, keys, signal)) {
    const chunks = new SpanChunks();
    for (const span of shownSpans(trace, view)) {
      if (span === undefined) {
        await setImmediate();
        continue;
      }
      const message = chunks.add(span);
      if (message !== undefined) yield message;
      const pause = breath.step();
      if (pause !== undefined) await pause;
    }
    const last = chunks.finish();
    if (last !== undefined) yield last;
  }
}
