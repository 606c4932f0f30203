// Gets traces by id: all spans, each once by identity (tenant, trace id, span id, kind, h), with
// their resources and scopes. Two different spans with one span id are both there.

import type { Span, Trace } from '../model/span.ts';
import { type Select, SelectError } from '../storage/clickhouse/select.ts';
import { type TraceKey, traceIdText } from '../storage/clickhouse/statement.ts';
import { tracesStatement } from '../storage/clickhouse/trace_statements.ts';
import { AnswerMemory, COLUMNS_FACTOR, type HeldMemory, OBJECTS_FACTOR } from './answer_memory.ts';
import { Breath } from './breath.ts';
import { getResources, getScopes, NO_RESOURCE, NO_SCOPE } from './content.ts';
import { StoredRows, type StoredTrace } from './stored_trace.ts';

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
 * The traces that exist, in the order of the ids, each once; ids that are unknown are left out. Their
 * spans are made one by one, as they are asked for. A few traces at a time, so that not all of them
 * have to be in memory: one is valid until the next is asked for. Throws SelectError, and RefusalError
 * `busy` where `memory` has no room.
 */
export function readTraces(
  select: Select,
  tenant: string,
  ids: readonly TraceKey[],
  signal?: AbortSignal,
  memory: AnswerMemory = new AnswerMemory(),
): AsyncGenerator<StoredTrace, void> {
  return readHeld({ select, tenant, signal }, ids, memory, COLUMNS_FACTOR);
}

/** As readTraces, each trace with all its spans as objects. */
export async function* getTraces(
  select: Select,
  tenant: string,
  ids: readonly TraceKey[],
  signal?: AbortSignal,
  memory: AnswerMemory = new AnswerMemory(),
): AsyncGenerator<FoundTrace, void> {
  const breath = new Breath();
  for await (const trace of readHeld({ select, tenant, signal }, ids, memory, OBJECTS_FACTOR)) {
    const spans: Span[] = [];
    for (let row = 0; row < trace.count; row++) {
      spans.push(trace.span(row));
      const pause = breath.step();
      if (pause !== undefined) await pause;
    }
    yield { traceId: trace.traceId, spans, cut: trace.cut };
  }
}

interface Store {
  readonly select: Select;
  readonly tenant: string;
  readonly signal: AbortSignal | undefined;
}

async function* readHeld(
  store: Store,
  ids: readonly TraceKey[],
  memory: AnswerMemory,
  factor: number,
): AsyncGenerator<StoredTrace, void> {
  const distinct = [...new Map(ids.map((id) => [traceIdText(id), id])).values()];
  for (let at = 0; at < distinct.length; at += TRACES_AT_ONCE) {
    const some = distinct.slice(at, at + TRACES_AT_ONCE);
    const held = memory.hold(factor);
    try {
      yield* await readSome(store, some, held);
    } catch (error) {
      if (!isTooMuch(error) || some.length === 1) throw error;
      // Together they are too large for one answer of the store; one by one they may fit.
      for (const id of some) {
        held.free();
        yield* await readSome(store, [id], held);
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

async function readSome(
  { select, tenant, signal }: Store,
  ids: readonly TraceKey[],
  held: HeldMemory,
): Promise<Generator<StoredTrace, void>> {
  const breath = new Breath();
  const rows = new StoredRows(ids);
  // One more than is shown, to know whether there are more.
  const statement = tracesStatement(tenant, ids, SPANS_PER_TRACE_MAX + 1);
  for (const block of await select(statement, signal, held.add)) {
    rows.add(block);
    const pause = breath.step(block.rows);
    if (pause !== undefined) await pause;
  }
  const [resources, scopes] = rows.isEmpty
    ? [new Map(), new Map()]
    : await Promise.all([
        getResources(select, tenant, rows.named, signal),
        getScopes(select, tenant, rows.named, signal),
      ]);
  const contents = {
    resource: (id: bigint) => resources.get(id) ?? NO_RESOURCE,
    scope: (id: bigint) => scopes.get(id) ?? NO_SCOPE,
  };
  return rows.traces(contents, SPANS_PER_TRACE_MAX);
}
