// Traces by id as Jaeger finds them: those that are stored, then those that are in the archive only.

import { type TraceKey, traceIdText } from '../../../storage/clickhouse/statement.ts';
import { getArchived } from '../../archive.ts';
import { readTraces } from '../../get.ts';
import type { QueryDeps } from '../../http_answer.ts';
import { asStored, type StoredTrace } from '../../stored_trace.ts';

/** The traces that exist, in the order of `keys`; throws SelectError and RefusalError `busy`. */
export async function* shownTraces(
  { select, memory }: QueryDeps,
  tenant: string,
  keys: readonly TraceKey[],
  signal: AbortSignal,
): AsyncGenerator<StoredTrace, void> {
  const missing = new Map(keys.map((key) => [traceIdText(key), key]));
  for await (const trace of readTraces(select, tenant, keys, signal, memory)) {
    missing.delete(trace.traceId);
    yield trace;
  }
  yield* asStored(getArchived(select, tenant, [...missing.values()], signal, memory));
}
