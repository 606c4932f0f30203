// ClickHouse's Native format, written column by column. Rules: ../README.md, "Native".

/** A map entry. */
export type Pair = readonly [Uint8Array, Cell];
/** Strings as bytes; numbers of every width as bigint (doubles: their bits). */
export type Cell = Uint8Array | bigint | readonly bigint[] | readonly Pair[];

const NUMBER_BYTES = {
  UInt8: 1,
  UInt16: 2,
  UInt32: 4,
  UInt64: 8,
  Int64: 8,
  Float64: 8,
  "DateTime64(9, 'UTC')": 8,
} as const;

type NumberType = keyof typeof NUMBER_BYTES;
type PlainType = NumberType | 'String';
type DictionaryType = 'LowCardinality(String)';

export type ColumnType =
  | PlainType
  | DictionaryType
  | 'Array(UInt64)'
  | `Map(${DictionaryType}, ${PlainType})`;

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** One a row, of the shape that the type asks for. */
  readonly cells: readonly Cell[];
}

/** HasAdditionalKeys and NeedUpdateDictionary of ClickHouse's SerializationLowCardinality. */
const DICTIONARY_FLAGS = 0x600n;
/** SharedDictionariesWithAdditionalKeys. */
const DICTIONARY_VERSION = 1n;
const SMALL_DICTIONARY_ENTRIES_MAX = 256;

/** One block. All columns have `rows` cells. */
export function writeNative(columns: readonly Column[], rows: number): Uint8Array {
  const out = new Output();
  out.varint(columns.length);
  out.varint(rows);
  for (const column of columns) {
    out.string(Buffer.from(column.name));
    out.string(Buffer.from(column.type));
    writeColumn(out, column);
  }
  return out.bytes();
}

/** What a cell would add to its column's dictionary. */
export function dictionaryEntries(type: ColumnType, cell: Cell): Uint8Array[] {
  if (type === 'LowCardinality(String)') return [cell as Uint8Array];
  if (type.startsWith('Map(')) return (cell as Pair[]).map(([key]) => key);
  return [];
}

function writeColumn(out: Output, { type, cells }: Column): void {
  if (type === 'LowCardinality(String)') {
    out.number('UInt64', DICTIONARY_VERSION);
    writeDictionary(out, cells as Uint8Array[]);
  } else if (type === 'Array(UInt64)') {
    writeEnds(out, cells as bigint[][]);
    for (const item of (cells as bigint[][]).flat()) out.number('UInt64', item);
  } else if (type.startsWith('Map(')) {
    out.number('UInt64', DICTIONARY_VERSION);
    writeEnds(out, cells as Pair[][]);
    const pairs = (cells as Pair[][]).flat();
    const keys = pairs.map(([key]) => key);
    writeDictionary(out, keys);
    const valueType = type.slice('Map(LowCardinality(String), '.length, -1) as PlainType;
    for (const [, value] of pairs) writePlain(out, valueType, value);
  } else {
    for (const cell of cells) writePlain(out, type as PlainType, cell);
  }
}

function writePlain(out: Output, type: PlainType, cell: Cell): void {
  if (type === 'String') out.string(cell as Uint8Array);
  else out.number(type, cell as bigint);
}

function writeEnds(out: Output, cells: readonly (readonly unknown[])[]): void {
  let end = 0n;
  for (const cell of cells) {
    end += BigInt(cell.length);
    out.number('UInt64', end);
  }
}

function writeDictionary(out: Output, values: readonly Uint8Array[]): void {
  if (values.length === 0) return;
  const entries = new Map<string, Uint8Array>([['', new Uint8Array(0)]]);
  for (const value of values) {
    const id = identity(value);
    if (!entries.has(id)) entries.set(id, value);
  }
  const small = entries.size <= SMALL_DICTIONARY_ENTRIES_MAX;
  out.number('UInt64', DICTIONARY_FLAGS | (small ? 0n : 1n));
  out.number('UInt64', BigInt(entries.size));
  for (const entry of entries.values()) out.string(entry);
  out.number('UInt64', BigInt(values.length));
  const places = new Map([...entries.keys()].map((id, place) => [id, BigInt(place)]));
  for (const value of values) {
    out.number(small ? 'UInt8' : 'UInt16', places.get(identity(value)) ?? 0n);
  }
}

/** Equal for equal bytes only: latin1 gives each byte its own character. */
export function identity(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

class Output {
  #parts: Uint8Array[] = [];

  varint(value: number): void {
    const bytes: number[] = [];
    let left = value;
    for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
    this.#parts.push(Uint8Array.of(...bytes, left));
  }

  string(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.#parts.push(bytes);
  }

  number(type: NumberType, value: bigint): void {
    const eight = new Uint8Array(8);
    new DataView(eight.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
    this.#parts.push(eight.subarray(0, NUMBER_BYTES[type]));
  }

  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts));
  }
}
