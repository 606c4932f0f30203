// Calls, errors and durations by minute: computed from spans, and read where they are settled.

import type { SpanKind } from '../../../model/span.ts';
import type { Param, Statement } from '../statement.ts';
import { IN_SETTLED, type SettledWindow, settledParams } from './edge_statements.ts';
import { IN_WINDOW, type SpanWindow, windowParams } from './window.ts';

/**
 * Durations are counted in slots, 16 to each doubling: slot n holds [2^(n/16), 2^((n+1)/16)) ns,
 * whose middle is at most 2.2 % off. Slot -1 holds durations of 0 and less.
 */
export const SLOTS_PER_OCTAVE = 16;

const SLOT = `if(duration > 0, toInt16(floor(log2(duration) * ${SLOTS_PER_OCTAVE})), toInt16(-1))`;

/** Of several rows with one identity (design §4, P2) one is counted. */
const ONCE = 'LIMIT 1 BY trace_lo, trace_hi, span_id, kind, h';

/** Columns of `red` behind bucket and version, for the spans of the window. */
export function redRows(window: SpanWindow): Statement {
  return {
    sql: `SELECT minute, service, name, kind, status, sum(n) AS calls,
  CAST((groupArray(slot), groupArray(n)), 'Map(Int16, UInt64)') AS slots
FROM (
  SELECT minute, service, name, kind, status, slot, count() AS n
  FROM (
    SELECT toStartOfMinute(ts) AS minute, service, name, kind, status, ${SLOT} AS slot
    FROM {db:Identifier}.spans
    WHERE ${IN_WINDOW}
    ${ONCE}
  )
  GROUP BY minute, service, name, kind, status, slot
)
GROUP BY minute, service, name, kind, status`,
    params: windowParams(window),
  };
}

export interface RedQuery {
  readonly services: readonly string[];
  readonly kinds: readonly SpanKind[];
  /** Rows by operation, too; else `name` is ''. */
  readonly byOperation: boolean;
  /** Rows by slot, too; else `slot` is -1. */
  readonly bySlot: boolean;
}

/** Columns minute (Unix seconds), service, name, slot, calls, errors. */
export function settledRedStatement(window: SettledWindow, query: RedQuery): Statement {
  const slots = query.bySlot ? 'ARRAY JOIN mapKeys(slots) AS slot, mapValues(slots) AS n' : '';
  return {
    sql: `SELECT toUnixTimestamp(minute) AS minute, toString(service) AS service, ${nameOf(query)},
  ${query.bySlot ? 'toInt32(slot)' : 'toInt32(-1)'} AS slot,
  sum(${query.bySlot ? 'n' : 'red.calls'}) AS calls,
  sumIf(${query.bySlot ? 'n' : 'red.calls'}, status = 2) AS errors
FROM {db:Identifier}.red AS red
${slots}
WHERE ${IN_SETTLED}
  AND ${ASKED}
GROUP BY minute, service${query.byOperation ? ', name' : ''}${query.bySlot ? ', slot' : ''}`,
    params: { ...settledParams(window), ...redParams(query) },
  };
}

/** Columns as settledRedStatement. */
export function spanRedStatement(window: SpanWindow, query: RedQuery): Statement {
  return {
    sql: `SELECT toUnixTimestamp(toStartOfMinute(ts)) AS minute, toString(service) AS service, ${nameOf(query)},
  ${query.bySlot ? `toInt32(${SLOT})` : 'toInt32(-1)'} AS slot,
  count() AS calls,
  countIf(status = 2) AS errors
FROM (
  SELECT ts, service, name, duration, status
  FROM {db:Identifier}.spans
  WHERE ${IN_WINDOW}
    AND ${ASKED}
  ${ONCE}
)
GROUP BY minute, service${query.byOperation ? ', name' : ''}${query.bySlot ? ', slot' : ''}`,
    params: { ...windowParams(window), ...redParams(query) },
  };
}

const ASKED = 'service IN {services:Array(String)} AND kind IN {kinds:Array(UInt64)}';

function nameOf({ byOperation }: RedQuery): string {
  return `${byOperation ? 'toString(name)' : "''"} AS name`;
}

function redParams({ services, kinds }: RedQuery): Record<string, Param> {
  return { services, kinds: kinds.map((kind) => BigInt(kind)) };
}
