// Columns of a Native block, kept as they came: typed arrays for numbers, bytes and offsets for
// strings. Strings are decoded when asked for, a dictionary entry only once.

/** Values that are 8, 16 or 32 bit integers: UInt8, UInt16, Date, UInt32, DateTime, Int8… */
export interface NumberColumn {
  readonly kind: 'number';
  readonly values: Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;
}

/** UInt64; Int64 and DateTime64 as signed (`values` is a BigInt64Array then). */
export interface BigColumn {
  readonly kind: 'big';
  readonly values: BigUint64Array | BigInt64Array;
}

/** Array(T): element range of row i is [i === 0 ? 0 : ends[i - 1], ends[i]). */
export interface ArrayColumn {
  readonly kind: 'array';
  readonly ends: Uint32Array;
  readonly items: Column;
}

export interface TupleColumn {
  readonly kind: 'tuple';
  readonly items: readonly Column[];
}

export type Column = NumberColumn | BigColumn | StringColumn | ArrayColumn | TupleColumn;

/** String, FixedString and LowCardinality(String): rows point into `bytes` through an index. */
export class StringColumn {
  readonly kind = 'string';
  readonly #bytes: Buffer;
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  /** Row to entry; undefined where each row has its own entry. */
  readonly #indexes: Uint8Array | Uint16Array | Uint32Array | undefined;
  readonly #texts: (string | undefined)[] = [];

  constructor(
    bytes: Buffer,
    starts: Uint32Array,
    ends: Uint32Array,
    indexes?: Uint8Array | Uint16Array | Uint32Array,
  ) {
    this.#bytes = bytes;
    this.#starts = starts;
    this.#ends = ends;
    this.#indexes = indexes;
  }

  /** The text of a row; invalid UTF-8 becomes U+FFFD here and nowhere earlier. */
  at(row: number): string {
    if (this.#indexes === undefined) {
      return this.#bytes.toString('utf8', this.#starts[row], this.#ends[row]);
    }
    const entry = this.#indexes[row]!;
    const known = this.#texts[entry];
    if (known !== undefined) return known;
    const text = this.#bytes.toString('utf8', this.#starts[entry], this.#ends[entry]);
    this.#texts[entry] = text;
    return text;
  }

  /** The rows' texts as the numbers that `numberOf` gives them; a dictionary entry is asked once. */
  numbered(numberOf: (text: string) => number, rows: number): Uint32Array {
    const numbers = new Uint32Array(rows);
    if (this.#indexes === undefined) {
      for (let row = 0; row < rows; row++) numbers[row] = numberOf(this.at(row));
      return numbers;
    }
    // Entry 0 is the empty text whether a row has it or not, so only those that rows have count.
    const known = new Int32Array(this.#starts.length).fill(-1);
    for (let row = 0; row < rows; row++) {
      const entry = this.#indexes[row]!;
      if (known[entry] === -1) known[entry] = numberOf(this.at(row));
      numbers[row] = known[entry]!;
    }
    return numbers;
  }

  /** The bytes of a row: a view, not a copy. */
  bytesAt(row: number): Uint8Array {
    const entry = this.#indexes === undefined ? row : this.#indexes[row]!;
    return this.#bytes.subarray(this.#starts[entry], this.#ends[entry]);
  }
}

/** One block: columns of equal length by name. Asking for a column that is not there is our bug. */
export class NativeBlock {
  readonly rows: number;
  readonly #columns: ReadonlyMap<string, Column>;

  constructor(rows: number, columns: ReadonlyMap<string, Column>) {
    this.rows = rows;
    this.#columns = columns;
  }

  numbers(name: string): NumberColumn['values'] {
    const column = this.#columns.get(name);
    if (column?.kind !== 'number') throw wrongColumn(name, 'number', column);
    return column.values;
  }

  /** Unsigned or signed by the column's type. */
  bigs(name: string): BigUint64Array | BigInt64Array {
    const column = this.#columns.get(name);
    if (column?.kind !== 'big') throw wrongColumn(name, 'big', column);
    return column.values;
  }

  unsigned64(name: string): BigUint64Array {
    const values = this.bigs(name);
    if (values instanceof BigUint64Array) return values;
    throw new Error(`Expected unsigned numbers in column ${name}.`);
  }

  signed64(name: string): BigInt64Array {
    const values = this.bigs(name);
    if (values instanceof BigInt64Array) return values;
    throw new Error(`Expected signed numbers in column ${name}.`);
  }

  strings(name: string): StringColumn {
    const column = this.#columns.get(name);
    if (column?.kind !== 'string') throw wrongColumn(name, 'string', column);
    return column;
  }

  array(name: string): ArrayColumn {
    const column = this.#columns.get(name);
    if (column?.kind !== 'array') throw wrongColumn(name, 'array', column);
    return column;
  }

  /** Map(K, V) is an array of (key, value); keys are strings in every map of ours. */
  map(name: string): { ends: Uint32Array; keys: StringColumn; values: Column } {
    const { ends, items } = this.array(name);
    const [keys, values] = items.kind === 'tuple' ? items.items : [];
    if (keys?.kind !== 'string' || values === undefined) throw wrongColumn(name, 'map', items);
    return { ends, keys, values };
  }
}

function wrongColumn(name: string, wanted: string, column: Column | undefined): Error {
  return new Error(`Expected a ${wanted} column ${name}, got ${column?.kind ?? 'none'}.`);
}
