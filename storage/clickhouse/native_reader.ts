// Reads ClickHouse's Native format, as its HTTP interface sends it (protocol revision 0: no block
// header, no sparse columns): per block varint columns, varint rows, per column name, type, data.
// https://clickhouse.com/docs/interfaces/formats/Native; LowCardinality as in
// SerializationLowCardinality.cpp. Only the types that our statements return.

import { type Column, NativeBlock, StringColumn } from './native_column.ts';

/** Deepest type nesting that we ask for is Map(LowCardinality(String), …) in a Tuple. */
const TYPE_DEPTH_MAX = 8;
/** A statement of ours returns some 30 columns; more means that these bytes are not Native. */
const COLUMNS_MAX = 256;
/** A type's name is short; a longer one means that these bytes are not Native. */
const NAME_BYTES_MAX = 4096;

/**
 * The blocks of one answer, each read when asked for, so that a caller can let others run between
 * them. Throws NativeError where the bytes are cut short or not understood.
 */
export function* readNative(bytes: Uint8Array): Generator<NativeBlock, void> {
  const source = new Source(bytes);
  while (source.left > 0) {
    const columnCount = source.count(COLUMNS_MAX, 'columns');
    const rows = source.count(0xffff_ffff, 'rows');
    const columns = new Map<string, Column>();
    for (let i = 0; i < columnCount; i++) {
      const name = source.text();
      const type = source.text();
      if (rows === 0) continue;
      const reader = readerOf(type, 0);
      reader.prefix(source);
      columns.set(name, reader.data(source, rows));
    }
    if (rows > 0) yield new NativeBlock(rows, columns);
  }
}

export class NativeError extends Error {
  override readonly name = 'NativeError';
}

/** Prefixes of all nested columns come before the data of the outermost one. */
interface Reader {
  prefix(source: Source): void;
  data(source: Source, rows: number): Column;
}

const noPrefix = (): void => {};

type ReadData = (source: Source, rows: number) => Column;

const SCALARS: ReadonlyMap<string, ReadData> = new Map<string, ReadData>([
  ['UInt8', (s, rows) => ({ kind: 'number', values: new Uint8Array(s.copy(rows)) })],
  ['Bool', (s, rows) => ({ kind: 'number', values: new Uint8Array(s.copy(rows)) })],
  ['UInt16', (s, rows) => ({ kind: 'number', values: new Uint16Array(s.copy(rows * 2)) })],
  ['Date', (s, rows) => ({ kind: 'number', values: new Uint16Array(s.copy(rows * 2)) })],
  ['UInt32', (s, rows) => ({ kind: 'number', values: new Uint32Array(s.copy(rows * 4)) })],
  ['DateTime', (s, rows) => ({ kind: 'number', values: new Uint32Array(s.copy(rows * 4)) })],
  ['Int32', (s, rows) => ({ kind: 'number', values: new Int32Array(s.copy(rows * 4)) })],
  ['Float64', (s, rows) => ({ kind: 'number', values: new Float64Array(s.copy(rows * 8)) })],
  ['UInt64', (s, rows) => ({ kind: 'big', values: new BigUint64Array(s.copy(rows * 8)) })],
  ['Int64', (s, rows) => ({ kind: 'big', values: new BigInt64Array(s.copy(rows * 8)) })],
  ['DateTime64', (s, rows) => ({ kind: 'big', values: new BigInt64Array(s.copy(rows * 8)) })],
  ['String', readStrings],
]);

function readerOf(type: string, depth: number): Reader {
  if (depth > TYPE_DEPTH_MAX) throw new NativeError(`The type ${type} is nested too deeply.`);
  const open = type.indexOf('(');
  const head = open === -1 ? type : type.slice(0, open);
  const inner = open === -1 ? '' : type.slice(open + 1, -1);
  const scalar = SCALARS.get(head);
  if (scalar !== undefined) return { prefix: noPrefix, data: scalar };
  switch (head) {
    case 'SimpleAggregateFunction':
      return readerOf(splitTypes(inner).slice(1).join(', '), depth + 1);
    case 'FixedString':
      return { prefix: noPrefix, data: (s, rows) => readFixedStrings(s, rows, Number(inner)) };
    case 'LowCardinality':
      if (inner !== 'String') break;
      return { prefix: readDictionaryVersion, data: readDictionary };
    case 'Array':
      return arrayReader(readerOf(inner, depth + 1));
    case 'Tuple':
      return tupleReader(splitTypes(inner).map((item) => readerOf(item, depth + 1)));
    case 'Map':
      return arrayReader(tupleReader(splitTypes(inner).map((item) => readerOf(item, depth + 1))));
  }
  throw new NativeError(`Cannot read a column of type ${type}.`);
}

function arrayReader(item: Reader): Reader {
  return {
    prefix: item.prefix,
    data: (source, rows) => {
      const ends = new Uint32Array(rows);
      let last = 0;
      const wide = new BigUint64Array(source.copy(rows * 8));
      for (let i = 0; i < rows; i++) {
        const end = Number(wide[i]);
        if (end < last || end > 0xffff_ffff) throw new NativeError('Array offsets go backwards.');
        ends[i] = end;
        last = end;
      }
      return { kind: 'array', ends, items: item.data(source, last) };
    },
  };
}

function tupleReader(items: readonly Reader[]): Reader {
  return {
    prefix: (source) => {
      for (const item of items) item.prefix(source);
    },
    data: (source, rows) => ({
      kind: 'tuple',
      items: items.map((item) => item.data(source, rows)),
    }),
  };
}

function readStrings(source: Source, rows: number): StringColumn {
  // A string takes at least its length byte, so rows beyond the bytes left cannot be honest.
  source.need(rows);
  const starts = new Uint32Array(rows);
  const ends = new Uint32Array(rows);
  for (let i = 0; i < rows; i++) {
    const length = source.count(0xffff_ffff, 'string bytes');
    starts[i] = source.at;
    source.skip(length);
    ends[i] = source.at;
  }
  return new StringColumn(source.bytes, starts, ends);
}

function readFixedStrings(source: Source, rows: number, width: number): StringColumn {
  const first = source.at;
  source.skip(rows * width);
  const starts = Uint32Array.from({ length: rows }, (_, i) => first + i * width);
  return new StringColumn(
    source.bytes,
    starts,
    starts.map((start) => start + width),
  );
}

/** SharedDictionariesWithAdditionalKeys, the only version that ClickHouse writes here. */
function readDictionaryVersion(source: Source): void {
  const version = source.uint64();
  if (version !== 1n) throw new NativeError(`Unknown LowCardinality version ${version}.`);
}

function readDictionary(source: Source, rows: number): StringColumn {
  if (rows === 0) return new StringColumn(source.bytes, new Uint32Array(0), new Uint32Array(0));
  const flags = source.uint64();
  const entries = readEntries(source);
  const indexed = Number(source.uint64());
  if (indexed !== rows) throw new NativeError('LowCardinality indexes do not match the rows.');
  const indexes = readIndexes(source, rows, Number(flags & 0xffn));
  for (const index of indexes) {
    if (index >= entries.starts.length) {
      throw new NativeError('A LowCardinality index points past its dictionary.');
    }
  }
  return new StringColumn(source.bytes, entries.starts, entries.ends, indexes);
}

function readEntries(source: Source): { starts: Uint32Array; ends: Uint32Array } {
  const count = Number(source.uint64());
  source.need(count);
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const length = source.count(0xffff_ffff, 'string bytes');
    starts[i] = source.at;
    source.skip(length);
    ends[i] = source.at;
  }
  return { starts, ends };
}

function readIndexes(
  source: Source,
  rows: number,
  width: number,
): Uint8Array | Uint16Array | Uint32Array {
  if (width === 0) return new Uint8Array(source.copy(rows));
  if (width === 1) return new Uint16Array(source.copy(rows * 2));
  if (width === 2) return new Uint32Array(source.copy(rows * 4));
  throw new NativeError(`Unknown LowCardinality index width ${width}.`);
}

/** `A, B(C, D)` to its top-level parts; a name in front (`x A`) is taken off. */
function splitTypes(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= list.length; i++) {
    const char = list[i];
    if (char === '(') depth++;
    if (char === ')') depth--;
    if (char === undefined || (char === ',' && depth === 0)) {
      parts.push(list.slice(start, i).trim());
      start = i + 1;
    }
  }
  return parts.map((part) => part.replace(/^\w+ (?=\w+)/, ''));
}

/** A bounded cursor: every read checks what is left, so cut answers throw instead of inventing. */
class Source {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  need(count: number): void {
    if (count > this.left) throw new NativeError('The answer ended inside a block.');
  }

  skip(count: number): void {
    this.need(count);
    this.at += count;
  }

  /** A copy, because typed arrays of 2 to 8 bytes a value must start at a multiple of that. */
  copy(count: number): ArrayBuffer {
    this.need(count);
    const start = this.bytes.byteOffset + this.at;
    this.at += count;
    return this.bytes.buffer.slice(start, start + count) as ArrayBuffer;
  }

  uint64(): bigint {
    this.skip(8);
    return this.bytes.readBigUInt64LE(this.at - 8);
  }

  /** An unsigned varint below 2^53 and not over `max`. */
  count(max: number, what: string): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 50; factor *= 128) {
      this.need(1);
      const byte = this.bytes[this.at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) {
        if (value > max) break;
        return value;
      }
    }
    throw new NativeError(`Expected at most ${max} ${what} in the answer.`);
  }

  text(): string {
    const length = this.count(NAME_BYTES_MAX, 'name bytes');
    this.skip(length);
    return this.bytes.toString('utf8', this.at - length, this.at);
  }
}
