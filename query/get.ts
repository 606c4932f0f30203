// Gets traces by id: all spans, each once by identity (tenant, trace id, span id, kind, h), with
// their resources and scopes. Two different spans with one span id are both there.

import type { Span, Trace } from '../model/span.ts';
import { type Select, SelectError } from '../storage/clickhouse/select.ts';
import { type TraceKey, traceIdText } from '../storage/clickhouse/statement.ts';
import { tracesStatement } from '../storage/clickhouse/trace_statements.ts';
import { AnswerMemory, type HeldMemory } from './answer_memory.ts';
import { Breath } from './breath.ts';
import { getResources, getScopes, NO_RESOURCE, NO_SCOPE } from './content.ts';
import { completeSpan, rowReader, type SpanRow } from './span_rows.ts';

/** More spans than a reader can look through or a page can show; the rest is left out, and said. */
export const SPANS_PER_TRACE_MAX = 100_000;

export interface FoundTrace extends Trace {
  /** True where the trace has more than SPANS_PER_TRACE_MAX spans: only so many are here. */
  readonly cut: boolean;
}

/** 1 to 32 hex digits in any case; leading zeros may be missing. undefined: not an id. */
export function traceKeyOf(id: string): TraceKey | undefined {
  if (!/^[0-9a-f]{1,32}$/i.test(id)) return undefined;
  const value = BigInt(`0x${id}`);
  return { high: value >> 64n, low: value & 0xffff_ffff_ffff_ffffn };
}

/**
 * The traces that exist, in the order of the ids, each once; ids that are unknown are left out.
 * A few at a time, so that not all of them have to be in memory. Throws SelectError, and RefusalError
 * `busy` where `memory` has no room.
 */
export async function* getTraces(
  select: Select,
  tenant: string,
  ids: readonly TraceKey[],
  signal?: AbortSignal,
  memory: AnswerMemory = new AnswerMemory(),
): AsyncGenerator<FoundTrace, void> {
  const distinct = [...new Map(ids.map((id) => [traceIdText(id), id])).values()];
  for (let at = 0; at < distinct.length; at += TRACES_AT_ONCE) {
    const some = distinct.slice(at, at + TRACES_AT_ONCE);
    const held = memory.hold();
    try {
      yield* await getSome(select, tenant, some, signal, held);
    } catch (error) {
      if (!isTooMuch(error) || some.length === 1) throw error;
      // Together they are too large for one answer of the store; one by one they may fit.
      for (const id of some) {
        held.free();
        yield* await getSome(select, tenant, [id], signal, held);
      }
    } finally {
      held.free();
    }
  }
}

/** A page of search results; ids of 20 digits as URL parameters, so never more than some 50. */
const TRACES_AT_ONCE = 20;

function isTooMuch(error: unknown): boolean {
  return error instanceof SelectError && error.failure === 'too_much';
}

async function getSome(
  select: Select,
  tenant: string,
  ids: readonly TraceKey[],
  signal: AbortSignal | undefined,
  held: HeldMemory,
): Promise<FoundTrace[]> {
  const breath = new Breath();
  const rows: SpanRow[] = [];
  // One more than is shown, to know whether there are more.
  const statement = tracesStatement(tenant, ids, SPANS_PER_TRACE_MAX + 1);
  for (const block of await select(statement, signal, held.add)) {
    const read = rowReader(block);
    for (let i = 0; i < block.rows; i++) {
      rows.push(read(i));
      const pause = breath.step();
      if (pause !== undefined) await pause;
    }
  }
  if (rows.length === 0) return [];
  const [resources, scopes] = await Promise.all([
    getResources(select, tenant, rows, signal),
    getScopes(select, tenant, rows, signal),
  ]);
  const byTrace = new Map<string, Span[]>();
  for (const row of rows) {
    const resource = resources.get(row.resourceId) ?? NO_RESOURCE;
    const span = completeSpan(row, resource, scopes.get(row.scopeId) ?? NO_SCOPE);
    const members = byTrace.get(span.traceId);
    if (members === undefined) byTrace.set(span.traceId, [span]);
    else members.push(span);
    const pause = breath.step();
    if (pause !== undefined) await pause;
  }
  return inOrder(ids, byTrace);
}

function inOrder(ids: readonly TraceKey[], byTrace: Map<string, Span[]>): FoundTrace[] {
  const traces: FoundTrace[] = [];
  for (const id of ids) {
    const traceId = traceIdText(id);
    const spans = byTrace.get(traceId);
    if (spans === undefined) continue;
    const cut = spans.length > SPANS_PER_TRACE_MAX;
    if (cut) spans.length = SPANS_PER_TRACE_MAX;
    traces.push({ traceId, spans, cut });
  }
  return traces;
}
