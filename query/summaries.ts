// What a list of search results shows of each trace: from the narrow columns of its spans only, each
// span once by identity.

import type { NativeBlock } from '../storage/clickhouse/native_column.ts';
import type { Select } from '../storage/clickhouse/select.ts';
import { type TraceKey, traceIdText } from '../storage/clickhouse/statement.ts';
import { summaryStatement } from '../storage/clickhouse/summary_statement.ts';
import { IDS_PER_STATEMENT_MAX } from '../storage/clickhouse/trace_statements.ts';
import type { AnswerMemory } from './answer_memory.ts';
import { Breath } from './breath.ts';
import { SPANS_PER_TRACE_MAX } from './get.ts';

export interface ServiceSummary {
  readonly name: string;
  readonly spans: number;
  /** Spans whose status is an error. */
  readonly errors: number;
}

export interface TraceSummary {
  /** 32 hex digits. */
  readonly traceId: string;
  /** The earliest span without a parent; undefined where each has one. */
  readonly root: { readonly service: string; readonly operation: string } | undefined;
  /** Of the earliest start and the latest end. */
  readonly startUnixNanos: bigint;
  readonly endUnixNanos: bigint;
  /** At most SPANS_PER_TRACE_MAX are counted. */
  readonly spans: number;
  readonly errors: number;
  /** Spans whose parent is not in the trace. */
  readonly orphans: number;
  /** By name. */
  readonly services: readonly ServiceSummary[];
}

/** In the order of `keys`; those that are not stored are left out. Throws as getTraces does. */
export async function summarize(
  select: Select,
  tenant: string,
  keys: readonly TraceKey[],
  signal: AbortSignal,
  memory: AnswerMemory,
): Promise<TraceSummary[]> {
  const breath = new Breath();
  const summaries: TraceSummary[] = [];
  for (let at = 0; at < keys.length; at += IDS_PER_STATEMENT_MAX) {
    const some = keys.slice(at, at + IDS_PER_STATEMENT_MAX);
    const held = memory.hold();
    try {
      const tallies = new Map<string, Tally>();
      const statement = summaryStatement(tenant, some, SPANS_PER_TRACE_MAX);
      for (const block of await select(statement, signal, held.add)) {
        const count = counter(block, tallies);
        for (let row = 0; row < block.rows; row++) {
          count(row);
          const pause = breath.step();
          if (pause !== undefined) await pause;
        }
      }
      for (const key of some) {
        const traceId = traceIdText(key);
        const tally = tallies.get(traceId);
        if (tally !== undefined) summaries.push(tally.summary(traceId));
      }
    } finally {
      held.free();
    }
  }
  return summaries;
}

/** OTLP StatusCode. */
const ERROR = 2;

class Tally {
  readonly #ids = new Set<bigint>();
  /** Of each span that has one. */
  readonly #parents: bigint[] = [];
  readonly #services = new Map<string, { spans: number; errors: number }>();
  #start: bigint | undefined;
  #end: bigint | undefined;
  #root: { service: string; operation: string; start: bigint } | undefined;
  #spans = 0;
  #errors = 0;

  /** `name` is asked only where it is the root's. */
  add(
    id: bigint,
    parent: bigint,
    start: bigint,
    duration: bigint,
    status: number,
    service: string,
    name: () => string,
  ): void {
    this.#ids.add(id);
    this.#spans++;
    const end = duration > 0n ? start + duration : start;
    if (this.#start === undefined || start < this.#start) this.#start = start;
    if (this.#end === undefined || end > this.#end) this.#end = end;
    const known = this.#services.get(service) ?? { spans: 0, errors: 0 };
    this.#services.set(service, known);
    known.spans++;
    if (status === ERROR) {
      known.errors++;
      this.#errors++;
    }
    if (parent !== 0n) this.#parents.push(parent);
    else if (this.#root === undefined || start < this.#root.start) {
      this.#root = { service, operation: name(), start };
    }
  }

  summary(traceId: string): TraceSummary {
    const services = [...this.#services].map(([name, counts]) => ({ name, ...counts }));
    const root = this.#root;
    return {
      traceId,
      root: root && { service: root.service, operation: root.operation },
      startUnixNanos: this.#start ?? 0n,
      endUnixNanos: this.#end ?? 0n,
      spans: this.#spans,
      errors: this.#errors,
      orphans: this.#parents.reduce((sum, id) => sum + (this.#ids.has(id) ? 0 : 1), 0),
      services: services.sort((a, b) => (a.name < b.name ? -1 : 1)),
    };
  }
}

/** Counts one row of a block. Rows of a trace stand together, but for where a block ends. */
function counter(block: NativeBlock, tallies: Map<string, Tally>): (row: number) => void {
  const high = block.bigs('trace_hi');
  const low = block.bigs('trace_lo');
  const ids = block.bigs('span_id');
  const parents = block.bigs('parent_id');
  const starts = block.bigs('ts');
  const durations = block.bigs('duration');
  const statuses = block.numbers('status');
  const services = block.strings('service');
  const names = block.strings('name');
  let tally: Tally | undefined;
  let of = -1;
  return (row) => {
    if (tally === undefined || low[of] !== low[row] || high[of] !== high[row]) {
      const traceId = traceIdText({ high: high[row]!, low: low[row]! });
      tally = tallies.get(traceId) ?? new Tally();
      tallies.set(traceId, tally);
    }
    of = row;
    tally.add(
      ids[row]!,
      parents[row]!,
      starts[row]!,
      durations[row]!,
      statuses[row]!,
      services.at(row),
      () => names.at(row),
    );
  };
}
