// Reads a Native block back, for tests: the column types that spans_in has, and no others.

/** Text (latin1 where it is no UTF-8), number, or arrays and [key, value] pairs of them. */
export type ReadCell = string | bigint | number | readonly ReadCell[];

export interface ReadColumn {
  readonly type: string;
  readonly cells: readonly ReadCell[];
}

const NUMBER_BYTES: Readonly<Record<string, number>> = {
  UInt8: 1,
  UInt16: 2,
  UInt32: 4,
  UInt64: 8,
  Int64: 8,
  Float64: 8,
  "DateTime64(9, 'UTC')": 8,
};

/** Columns by name, in the order of the block. Throws Error where the bytes are no such block. */
export function readNative(native: Uint8Array): Map<string, ReadColumn> {
  const input = new Input(native);
  const [columnCount, rows] = [input.varint(), input.varint()];
  const columns = new Map<string, ReadColumn>();
  for (let i = 0; i < columnCount; i++) {
    const [name, type] = [input.string(), input.string()];
    columns.set(name, { type, cells: readColumn(input, type, rows) });
  }
  if (input.left !== 0) throw new Error(`Expected the block's end; ${input.left} bytes are left.`);
  return columns;
}

function readColumn(input: Input, type: string, rows: number): ReadCell[] {
  if (type === 'LowCardinality(String)') {
    input.expect(1n, 'dictionary version');
    return readDictionary(input, rows);
  }
  const array = /^Array\((.+)\)$/.exec(type)?.[1];
  if (array !== undefined) {
    const ends = readMany(rows, () => Number(input.number('UInt64')));
    const items = readMany(ends.at(-1) ?? 0, () => readPlain(input, array));
    return split(items, ends);
  }
  const map = /^Map\(LowCardinality\(String\), (.+)\)$/.exec(type)?.[1];
  if (map !== undefined) {
    input.expect(1n, 'dictionary version');
    const ends = readMany(rows, () => Number(input.number('UInt64')));
    const keys = readDictionary(input, ends.at(-1) ?? 0);
    return split(
      keys.map((key): ReadCell => [key, readPlain(input, map)]),
      ends,
    );
  }
  return readMany(rows, () => readPlain(input, type));
}

function readDictionary(input: Input, values: number): string[] {
  if (values === 0) return [];
  const flags = input.number('UInt64');
  if (flags !== 0x600n && flags !== 0x601n) {
    throw new Error(`Expected dictionary flags 0x600 or 0x601; ${flags} came.`);
  }
  const entries = readMany(Number(input.number('UInt64')), () => input.string());
  if (entries[0] !== '') throw new Error(`Expected '' as first entry; ${entries[0]} came.`);
  if (new Set(entries).size !== entries.length) throw new Error('Expected each entry once.');
  input.expect(BigInt(values), 'dictionary values');
  return readMany(values, () => {
    const index = Number(input.number(flags === 0x600n ? 'UInt8' : 'UInt16'));
    const entry = entries[index];
    if (entry === undefined) throw new Error(`Expected an index below ${entries.length}.`);
    return entry;
  });
}

function readPlain(input: Input, type: string): ReadCell {
  if (type === 'String') return input.string();
  if (type === 'Float64') return input.double();
  const value = input.number(type);
  return type === 'Int64' ? BigInt.asIntN(64, value) : value;
}

function readMany<T>(count: number, read: () => T): T[] {
  const items: T[] = [];
  for (let i = 0; i < count; i++) items.push(read());
  return items;
}

function split(items: readonly ReadCell[], ends: readonly number[]): ReadCell[] {
  return ends.map((end, i) => items.slice(ends[i - 1] ?? 0, end));
}

class Input {
  #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  varint(): number {
    let value = 0;
    for (let shift = 1; ; shift *= 0x80) {
      const byte = this.#take(1)[0] ?? 0;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  }

  string(): string {
    const bytes = Buffer.from(this.#take(this.varint()));
    const text = bytes.toString();
    return Buffer.from(text).equals(bytes) ? text : bytes.toString('latin1');
  }

  number(type: string): bigint {
    const width = NUMBER_BYTES[type];
    if (width === undefined) throw new Error(`Expected a type of spans_in; ${type} came.`);
    return this.#take(width).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  double(): number {
    return Buffer.from(this.#take(8)).readDoubleLE(0);
  }

  expect(value: bigint, what: string): void {
    const came = this.number('UInt64');
    if (came !== value) throw new Error(`Expected ${what} ${value}; ${came} came.`);
  }

  #take(length: number): Uint8Array {
    if (length > this.left) throw new Error(`Expected ${length} bytes; ${this.left} are left.`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
