// Which five-minute buckets a block has rows in, read from its own `ts` column, so that the ledger
// says what was written and not what was meant.

import { BUCKET_NANOS, BUCKET_SECONDS } from '../../storage/clickhouse/settled/buckets.ts';

/** `tenant` stands before these columns of fixed width, in the order of the schema; then `ts`. */
const SKIPPED = ['trace_lo', 'trace_hi', 'span_id', 'parent_id', 'h'];
const WIDTHS: Readonly<Record<string, number>> = { UInt64: 8, UInt32: 4 };

/** Adds the start of each bucket (Unix seconds) of a Native block of `spans_in`. */
export function addBuckets(native: Uint8Array, buckets: Set<number>): void {
  const reader = new Reader(native);
  reader.varint();
  const rows = reader.varint();
  reader.expect('tenant');
  reader.skipLowCardinality();
  for (const name of SKIPPED) reader.skip(rows * (WIDTHS[reader.expect(name)] ?? 0));
  reader.expect('ts');
  const { view } = reader;
  for (let row = 0, at = reader.at; row < rows; row++, at += 8) {
    buckets.add(Number(view.getBigInt64(at, true) / BUCKET_NANOS) * BUCKET_SECONDS);
  }
}

class Reader {
  readonly view: DataView;
  at = 0;

  constructor(native: Uint8Array) {
    this.view = new DataView(native.buffer, native.byteOffset, native.byteLength);
  }

  varint(): number {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = this.view.getUint8(this.at++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  skip(bytes: number): void {
    this.at += bytes;
  }

  #text(): string {
    const length = this.varint();
    const start = this.view.byteOffset + this.at;
    this.skip(length);
    return Buffer.from(this.view.buffer, start, length).toString('latin1');
  }

  /** A column's name and type; the type. Throws where the schema and this file differ. */
  expect(name: string): string {
    const found = this.#text();
    if (found !== name) throw new Error(`Expected the column ${name} in a block, found ${found}.`);
    return this.#text();
  }

  /** See "Native" in model/codec/otlp/README.md. */
  skipLowCardinality(): void {
    this.skip(8);
    const wide = (this.view.getUint8(this.at) & 1) === 1;
    this.skip(8);
    const entries = Number(this.view.getBigUint64(this.at, true));
    this.skip(8);
    for (let entry = 0; entry < entries; entry++) this.skip(this.varint());
    const values = Number(this.view.getBigUint64(this.at, true));
    this.skip(8 + values * (wide ? 2 : 1));
  }
}
