// Rows, sorted and cut into Native blocks. Rules: ../README.md, "Rows" and "Native".

import type { Limits } from './limits.ts';
import {
  type Cell,
  type Column,
  type ColumnType,
  dictionaryEntries,
  identity,
  writeNative,
} from './native.ts';
import type { OriginCells, Row } from './row.ts';

export interface TwinBlock {
  readonly native: Uint8Array;
  readonly rows: number;
}

const NANOS_PER_FIVE_MINUTES = 300n * 1_000_000_000n;
const NANOS_PER_DAY = 86_400n * 1_000_000_000n;

/** The columns of spans_in, in its order. */
const COLUMNS = {
  tenant: 'LowCardinality(String)',
  trace_lo: 'UInt64',
  trace_hi: 'UInt64',
  span_id: 'UInt64',
  parent_id: 'UInt64',
  h: 'UInt32',
  ts: "DateTime64(9, 'UTC')",
  duration: 'Int64',
  service: 'LowCardinality(String)',
  name: 'LowCardinality(String)',
  kind: 'UInt8',
  status: 'UInt8',
  status_message: 'String',
  flags: 'UInt32',
  resource_id: 'UInt64',
  scope_id: 'UInt64',
  attr_s: 'Map(LowCardinality(String), String)',
  attr_i: 'Map(LowCardinality(String), Int64)',
  attr_d: 'Map(LowCardinality(String), Float64)',
  attr_b: 'Map(LowCardinality(String), UInt8)',
  attr_x: 'Map(LowCardinality(String), String)',
  events: 'String',
  links: 'String',
  rest: 'String',
  event_kv: 'Array(UInt64)',
  resource: 'String',
  resource_schema_url: 'String',
  resource_attrs: 'Map(LowCardinality(String), String)',
  scope: 'String',
  scope_schema_url: 'String',
  scope_attrs: 'Map(LowCardinality(String), String)',
} as const satisfies Record<string, ColumnType>;

type ColumnName = keyof typeof COLUMNS;
type Cells = Readonly<Record<ColumnName, Cell>>;

const COLUMN_NAMES = Object.keys(COLUMNS) as ColumnName[];
const NO_ORIGIN: OriginCells = {
  message: new Uint8Array(0),
  schemaUrl: new Uint8Array(0),
  attributes: [],
};

/**
 * No rows make no block. `rows` come in the order of the input. With `blockRows`, block i is cut
 * after blockRows[i] rows at the latest.
 */
export function blocksOf(
  rows: readonly Row[],
  limits: Limits,
  blockRows: readonly number[] = [],
): TwinBlock[] {
  const blocks: OpenBlock[] = [];
  // Array sort is stable: rows that compare equal stay in the order of the input.
  for (const row of [...rows].sort(compareRows)) {
    if (!blocks.at(-1)?.add(row)) {
      const rowsMax = blockRows[blocks.length] ?? limits.BLOCK_ROWS_MAX;
      const block = new OpenBlock({ ...limits, BLOCK_ROWS_MAX: rowsMax });
      block.add(row);
      blocks.push(block);
    }
  }
  return blocks.map((block) => block.close());
}

function compareRows(a: Row, b: Row): number {
  return (
    Buffer.compare(a.tenant, b.tenant) ||
    compare(a.ts / NANOS_PER_FIVE_MINUTES, b.ts / NANOS_PER_FIVE_MINUTES) ||
    compare(a.trace_lo, b.trace_lo) ||
    compare(a.trace_hi, b.trace_hi) ||
    compare(a.ts, b.ts) ||
    compare(a.span_id, b.span_id)
  );
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

class OpenBlock {
  #limits: Limits;
  #rows: Cells[] = [];
  #dictionaries = new Map(COLUMN_NAMES.map((name) => [name, new Set([''])]));
  #resourcesSeen = new Set<string>();
  #scopesSeen = new Set<string>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** False when the row does not fit any more; an empty block takes any row. */
  add(row: Row): boolean {
    if (this.#rows.length >= this.#limits.BLOCK_ROWS_MAX) return false;
    const place = `${identity(row.tenant)}:${row.ts / NANOS_PER_DAY}`;
    const resourceKey = `${place}:${row.resource_id}`;
    const scopeKey = `${place}:${row.scope_id}`;
    const cells = cellsOf(
      row,
      this.#resourcesSeen.has(resourceKey) ? NO_ORIGIN : row.resource,
      this.#scopesSeen.has(scopeKey) ? NO_ORIGIN : row.scope,
    );
    if (this.#rows.length > 0 && !this.#dictionariesHold(cells)) return false;
    for (const name of COLUMN_NAMES) {
      const dictionary = this.#dictionaries.get(name);
      for (const id of entriesOf(cells, name)) dictionary?.add(id);
    }
    this.#resourcesSeen.add(resourceKey);
    this.#scopesSeen.add(scopeKey);
    this.#rows.push(cells);
    return true;
  }

  close(): TwinBlock {
    const columns = COLUMN_NAMES.map(
      (name): Column => ({
        name,
        type: COLUMNS[name],
        cells: this.#rows.map((cells) => cells[name]),
      }),
    );
    return { native: writeNative(columns, this.#rows.length), rows: this.#rows.length };
  }

  #dictionariesHold(cells: Cells): boolean {
    return COLUMN_NAMES.every((name) => {
      const known = this.#dictionaries.get(name) ?? new Set<string>();
      const added = new Set(entriesOf(cells, name)).difference(known);
      return known.size + added.size <= this.#limits.DICTIONARY_ENTRIES_MAX;
    });
  }
}

function entriesOf(cells: Cells, name: ColumnName): string[] {
  return dictionaryEntries(COLUMNS[name], cells[name]).map(identity);
}

function cellsOf(row: Row, resource: OriginCells, scope: OriginCells): Cells {
  return {
    ...row,
    resource: resource.message,
    resource_schema_url: resource.schemaUrl,
    resource_attrs: resource.attributes,
    scope: scope.message,
    scope_schema_url: scope.schemaUrl,
    scope_attrs: scope.attributes,
  };
}
