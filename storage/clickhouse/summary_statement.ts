// The narrow columns of whole traces: enough to say who is in them, when, and whether they failed.

import type { Statement, TraceKey } from './statement.ts';
import { bucketsOfTraces, keysParams } from './trace_statements.ts';

/**
 * All spans of the traces, each once by identity, at most `spansMax` of a trace. Columns trace_lo,
 * trace_hi, span_id, parent_id, kind, ts, duration, service, name, status.
 */
export function summaryStatement(
  tenant: string,
  keys: readonly TraceKey[],
  spansMax: number,
): Statement {
  return {
    settings: { use_skip_indexes: 0 },
    sql: `SELECT trace_lo, trace_hi, span_id, parent_id, kind, ts, duration, service, name, status
FROM (
  SELECT trace_lo, trace_hi, span_id, parent_id, kind, h, ts, duration, service, name, status
  FROM {db:Identifier}.spans
  PREWHERE tenant = {tenant:String}
    AND (toStartOfFiveMinutes(ts), trace_lo, trace_hi) IN (${bucketsOfTraces()})
  LIMIT 1 BY trace_lo, trace_hi, span_id, kind, h
)
LIMIT {spansMax:UInt32} BY trace_lo, trace_hi`,
    params: { tenant, spansMax, ...keysParams(keys) },
  };
}
