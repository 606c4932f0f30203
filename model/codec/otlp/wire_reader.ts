// A bounded cursor over one stored protobuf message. What it reads was checked when it came in, so
// anything it cannot read is a fault of the store, not of a client: it throws, it never invents.

export class WireError extends Error {
  override readonly name = 'WireError';
}

/** Longest varint of protobuf: 64 bits, seven a byte. */
const VARINT_BYTES_MAX = 10;

/**
 * `while (reader.next()) switch (reader.field) { … }`: every case must take its value, with `skip`
 * for what it does not know.
 */
export class WireReader {
  /** Number of the field that `next` found. */
  field = 0;
  #wire = 0;
  #at: number;
  readonly #end: number;
  readonly #bytes: Buffer;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#end = end;
  }

  /** Moves to the next field; false at the end of the message. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#varintNumber();
    this.field = Math.floor(tag / 8);
    this.#wire = tag % 8;
    return true;
  }

  /** The content of a message field. Costs a view, not a copy. */
  message(): WireReader {
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    return new WireReader(this.#bytes, start, this.#at);
  }

  /** A string; invalid UTF-8 becomes U+FFFD. */
  text(): string {
    const length = this.#length();
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  /** A view on the bytes. */
  bytes(): Uint8Array {
    const length = this.#length();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** An id as lower-case hex. */
  hex(): string {
    const length = this.#length();
    this.#at += length;
    return this.#bytes.toString('hex', this.#at - length, this.#at);
  }

  int64(): bigint {
    this.#expect(0);
    return BigInt.asIntN(64, this.#varint());
  }

  /** The low 32 bits, as protobuf parsers cut longer ones. */
  uint32(): number {
    this.#expect(0);
    return Number(this.#varint() & 0xffff_ffffn);
  }

  bool(): boolean {
    this.#expect(0);
    return this.#varint() !== 0n;
  }

  fixed32(): number {
    this.#expect(5);
    return this.#bytes.readUInt32LE(this.#advance(4));
  }

  fixed64(): bigint {
    this.#expect(1);
    return this.#bytes.readBigUInt64LE(this.#advance(8));
  }

  double(): number {
    this.#expect(1);
    return this.#bytes.readDoubleLE(this.#advance(8));
  }

  skip(): void {
    if (this.#wire === 0) this.#varint();
    else if (this.#wire === 1) this.#advance(8);
    else if (this.#wire === 2) this.#advance(this.#length());
    else if (this.#wire === 5) this.#advance(4);
    else throw new WireError(`Expected wire type 0, 1, 2 or 5 in a stored message.`);
  }

  /** A message preceded by its length, as `events` and `links` hold them one after the other. */
  delimited(): WireReader | undefined {
    if (this.#at >= this.#end) return undefined;
    this.#wire = 2;
    return this.message();
  }

  #expect(wire: number): void {
    if (this.#wire !== wire) {
      throw new WireError(`Expected wire type ${wire} in a stored message, found ${this.#wire}.`);
    }
  }

  #advance(count: number): number {
    const start = this.#at;
    if (count > this.#end - start) throw new WireError('A stored message ends within a field.');
    this.#at = start + count;
    return start;
  }

  #length(): number {
    this.#expect(2);
    const length = this.#varintNumber();
    if (length > this.#end - this.#at) throw new WireError('A stored message ends within a field.');
    return length;
  }

  /** Tags and lengths: nearly always one or two bytes, so no bigint for them. */
  #varintNumber(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 28; factor *= 128) {
      const byte = this.#bytes[this.#advance(1)]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw new WireError('A stored message has a tag or length of more than five bytes.');
  }

  #varint(): bigint {
    let low = 0;
    let value = 0n;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.#bytes[this.#advance(1)]!;
      if (i < 4) low += (byte & 127) * 2 ** (7 * i);
      else value |= BigInt(byte & 127) << BigInt(7 * i);
      if (byte < 128) return BigInt.asUintN(64, value | BigInt(low));
    }
    throw new WireError('A stored message has a varint of more than ten bytes.');
  }
}
