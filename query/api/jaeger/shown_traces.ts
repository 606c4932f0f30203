// Traces by id as Jaeger finds them.

import type { TraceKey } from '../../../storage/clickhouse/statement.ts';
import { type FoundTrace, getTraces } from '../../get.ts';
import type { QueryDeps } from '../../http_answer.ts';

/** The traces that exist, in the order of `keys`. Throws SelectError and RefusalError `busy`. */
export function shownTraces(
  deps: QueryDeps,
  tenant: string,
  keys: readonly TraceKey[],
  signal: AbortSignal,
): AsyncGenerator<FoundTrace, void> {
  return getTraces(deps.select, tenant, keys, signal, deps.memory);
}
