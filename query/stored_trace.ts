// A trace as it came from the store: its columns. A span is made when it is asked for, and forgotten
// when it has been written: as objects, all of them would take seven times the memory.

import { halves } from '../model/analysis/id_hash.ts';
import { type TraceIds, TraceIndex } from '../model/analysis/trace_index.ts';
import type { Span, Trace } from '../model/span.ts';
import { columnsOf, type TraceColumns } from '../model/trace/assemble.ts';
import type { NativeBlock } from '../storage/clickhouse/native_column.ts';
import { type TraceKey, traceIdText } from '../storage/clickhouse/statement.ts';
import type { Named } from './content.ts';
import { type Contents, rowReader } from './span_rows.ts';
import { identitiesOf, TraceTag } from './trace_tag.ts';

export interface StoredTrace {
  /** 32 hex digits. */
  readonly traceId: string;
  /** True where the trace has more spans than may be shown: only so many are here. */
  readonly cut: boolean;
  /** How many spans are here. */
  readonly count: number;
  readonly columns: TraceColumns;
  /** Says which spans these are (trace_tag.ts); undefined where that is not known for all of them. */
  readonly tag: string | undefined;
  /** The span of a row, 0 to count - 1, in no promised order; a new object each time. */
  span(row: number): Span;
}

/** Traces whose spans are objects already. */
export async function* asStored(
  traces: AsyncIterable<Trace> | Iterable<Trace>,
): AsyncGenerator<StoredTrace, void> {
  for await (const { traceId, spans } of traces) {
    yield {
      traceId,
      cut: false,
      count: spans.length,
      tag: undefined,
      // Not every reader orders them.
      get columns() {
        return columnsOf(spans);
      },
      span: (row) => spans[row]!,
    };
  }
}

const DAY_NANOS = 86_400_000_000_000n;

/** The blocks of one answer, which hold the rows of several traces in any order. */
export class StoredRows {
  readonly #keys: readonly TraceKey[];
  readonly #index: TraceIndex;
  readonly #blocks: NativeBlock[] = [];
  /** By trace: block number and row of each of its spans, one after the other. */
  readonly #places: number[][];
  readonly #resourceIds = new Set<bigint>();
  readonly #scopeIds = new Set<bigint>();
  #first: bigint | undefined;
  #last = 0n;

  /** Each key once. */
  constructor(keys: readonly TraceKey[]) {
    this.#keys = keys;
    this.#index = new TraceIndex(idsOf(keys));
    this.#places = keys.map(() => []);
  }

  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  add(block: NativeBlock): void {
    const number = this.#blocks.push(block) - 1;
    const traces = this.#index.ofRows({
      traceHigh: block.unsigned64('trace_hi'),
      traceLow: block.unsigned64('trace_lo'),
    });
    for (let row = 0; row < block.rows; row++) this.#places[traces[row]!]!.push(number, row);
    collect(block.unsigned64('resource_id'), this.#resourceIds);
    collect(block.unsigned64('scope_id'), this.#scopeIds);
    for (const start of block.signed64('ts')) {
      if (this.#first === undefined || start < this.#first) this.#first = start;
      if (start > this.#last) this.#last = start;
    }
  }

  get named(): Named {
    const days = {
      first: Number((this.#first ?? 0n) / DAY_NANOS),
      last: Number(this.#last / DAY_NANOS),
    };
    return { resourceIds: this.#resourceIds, scopeIds: this.#scopeIds, days };
  }

  /** The traces of which there are rows, in the order of the keys; of each at most `spansMax`. */
  *traces(contents: Contents, spansMax: number): Generator<StoredTrace, void> {
    const readers = this.#blocks.map((block) => rowReader(block, contents));
    for (const [n, key] of this.#keys.entries()) {
      const places = this.#places[n]!;
      if (places.length === 0) continue;
      const count = Math.min(places.length / 2, spansMax);
      const cut = places.length / 2 > spansMax;
      const tagOf = (): string => this.#tagOf(places);
      yield {
        traceId: traceIdText(key),
        cut,
        count,
        get tag() {
          return cut ? undefined : tagOf();
        },
        columns: this.#columnsOf(places, count),
        span: (row) => readers[places[2 * row]!]!(places[2 * row + 1]!),
      };
    }
  }

  #tagOf(places: readonly number[]): string {
    const identities = this.#blocks.map(identitiesOf);
    const tag = new TraceTag();
    for (let i = 0; i < places.length; i += 2) tag.add(identities[places[i]!]!, places[i + 1]!);
    return tag.text;
  }

  #columnsOf(places: readonly number[], count: number): TraceColumns {
    const columns = {
      spanId: new BigUint64Array(count),
      parentId: new BigUint64Array(count),
      startUnixNanos: new BigInt64Array(count),
      kind: new Uint8Array(count),
    };
    for (const [name, stored] of WIDE) {
      const target = halves(columns[name]);
      const sources = this.#blocks.map((block) => halves(block.bigs(stored)));
      for (let i = 0; i < count; i++) {
        const source = sources[places[2 * i]!]!;
        const row = places[2 * i + 1]!;
        target[2 * i] = source[2 * row]!;
        target[2 * i + 1] = source[2 * row + 1]!;
      }
    }
    const kinds = this.#blocks.map((block) => block.numbers('kind'));
    for (let i = 0; i < count; i++) columns.kind[i] = kinds[places[2 * i]!]![places[2 * i + 1]!]!;
    return columns;
  }
}

const WIDE = [
  ['spanId', 'span_id'],
  ['parentId', 'parent_id'],
  ['startUnixNanos', 'ts'],
] as const;

function idsOf(keys: readonly TraceKey[]): TraceIds {
  return {
    traceHigh: BigUint64Array.from(keys, (key) => key.high),
    traceLow: BigUint64Array.from(keys, (key) => key.low),
  };
}

/** Ids repeat; looking one up costs as much as the rest of a row. */
function collect(column: BigUint64Array, ids: Set<bigint>): void {
  const parts = halves(column);
  for (let row = 0; row < column.length; row++) {
    const isSame =
      row > 0 && parts[2 * row] === parts[2 * row - 2] && parts[2 * row + 1] === parts[2 * row - 1];
    if (!isSame) ids.add(column[row]!);
  }
}
