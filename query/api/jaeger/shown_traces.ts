// Traces by id as Jaeger finds them: those that are stored, then those that are in the archive only.

import { type TraceKey, traceIdText } from '../../../storage/clickhouse/statement.ts';
import { getArchived } from '../../archive.ts';
import { type FoundTrace, getTraces } from '../../get.ts';
import type { QueryDeps } from '../../http_answer.ts';

/** The traces that exist, in the order of `keys`; throws SelectError and RefusalError `busy`. */
export async function* shownTraces(
  { select, memory }: QueryDeps,
  tenant: string,
  keys: readonly TraceKey[],
  signal: AbortSignal,
): AsyncGenerator<FoundTrace, void> {
  const missing = new Map(keys.map((key) => [traceIdText(key), key]));
  for await (const trace of getTraces(select, tenant, keys, signal, memory)) {
    missing.delete(trace.traceId);
    yield trace;
  }
  yield* getArchived(select, tenant, [...missing.values()], signal, memory);
}
