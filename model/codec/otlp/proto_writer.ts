// Writes protobuf forwards into one growing buffer. Field numbers are the caller's; every value is
// written in its shortest form.

/** Protobuf wire types that we write. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** The longest varint: 64 bits, seven a byte. */
const VARINT_BYTES_MAX = 10;

const EMPTY = new Uint8Array(0);

/** A length of one byte, and no longer to look through than a call takes. */
const PLAIN_CHARS_MAX = 64;

const utf8 = new TextEncoder();

export class ProtoWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  #at = 0;
  /** Of the next buffer, at least. */
  #capacity: number;

  /** `capacity` in bytes is a guess: the buffer grows as needed. */
  constructor(capacity: number) {
    this.#capacity = Math.max(capacity, 64);
    this.#bytes = new Uint8Array(this.#capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** What was written: a view on the writer's buffer, so the writer must not be used afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at);
  }

  /**
   * As `finish`, but the buffer is the caller's and the writer is empty again. What it writes next is
   * guessed to be about as long, so that it will not grow bit by bit, copying itself each time.
   */
  take(): Uint8Array<ArrayBuffer> {
    if (this.#at === 0) return new Uint8Array(0);
    const taken = this.finish();
    this.#capacity = Math.max(taken.length + (taken.length >> 2), 64);
    this.#bytes = EMPTY;
    this.#at = 0;
    return taken;
  }

  /** Bytes written so far: where a reader of `finish()` will find what comes next. */
  get length(): number {
    return this.#at;
  }

  /** Forgets what was written after `length`, or all of it, and keeps the buffer. */
  reset(length = 0): void {
    this.#at = length;
  }

  /** What `other` has written, as a message field. */
  message(field: number, other: ProtoWriter): void {
    this.bytes(field, other.#bytes, 0, other.#at);
  }

  /** An unsigned number below 2^53, as uint32, bool or enum. */
  uint(field: number, value: number): void {
    this.#room(2 * VARINT_BYTES_MAX);
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  /** int64 and int32: a negative one takes ten bytes, as protobuf has it. */
  int(field: number, value: bigint): void {
    if (value >= 0n && value <= 0xffff_ffffn) {
      this.uint(field, Number(value));
      return;
    }
    this.#room(2 * VARINT_BYTES_MAX);
    this.#tag(field, VARINT);
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#at++] = Number(rest);
  }

  /** int64 from its halves (any 32-bit numbers), without a bigint. */
  intOf(field: number, high: number, low: number): void {
    this.#room(2 * VARINT_BYTES_MAX);
    this.#tag(field, VARINT);
    let [h, l] = [high >>> 0, low >>> 0];
    while (h !== 0 || l > 0x7f) {
      this.#bytes[this.#at++] = (l & 0x7f) | 0x80;
      l = ((l >>> 7) | (h << 25)) >>> 0;
      h >>>= 7;
    }
    this.#bytes[this.#at++] = l;
  }

  fixed32(field: number, value: number): void {
    this.#room(VARINT_BYTES_MAX + 4);
    this.#tag(field, FIXED32);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  fixed64(field: number, value: bigint): void {
    this.#room(VARINT_BYTES_MAX + 8);
    this.#tag(field, FIXED64);
    this.#view.setBigUint64(this.#at, value, true);
    this.#at += 8;
  }

  /** fixed64 by its two halves: a bigint a timestamp costs more than all its other bytes. */
  fixed64Words(field: number, low: number, high: number): void {
    this.#room(VARINT_BYTES_MAX + 8);
    this.#tag(field, FIXED64);
    this.#view.setUint32(this.#at, low, true);
    this.#view.setUint32(this.#at + 4, high, true);
    this.#at += 8;
  }

  double(field: number, value: number): void {
    this.#room(VARINT_BYTES_MAX + 8);
    this.#tag(field, FIXED64);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  /** `source[start, end)` as a bytes or string field. */
  bytes(field: number, source: Uint8Array, start = 0, end = source.length): void {
    this.#room(2 * VARINT_BYTES_MAX + end - start);
    this.#tag(field, BYTES);
    this.#varint(end - start);
    // A short copy by hand is quicker than the call and the view that set() needs.
    if (end - start <= 32) {
      const bytes = this.#bytes;
      let at = this.#at;
      for (let i = start; i < end; i++) bytes[at++] = source[i] as number;
      this.#at = at;
      return;
    }
    this.#bytes.set(source.subarray(start, end), this.#at);
    this.#at += end - start;
  }

  /** Short plain texts, which most are, are copied by hand: the call and its copy cost more. */
  string(field: number, value: string): void {
    const { length } = value;
    if (length > PLAIN_CHARS_MAX) {
      this.bytes(field, utf8.encode(value));
      return;
    }
    this.#room(2 * VARINT_BYTES_MAX + length);
    const start = this.#at;
    this.#tag(field, BYTES);
    this.#bytes[this.#at++] = length;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) {
        this.#at = start;
        this.bytes(field, utf8.encode(value));
        return;
      }
      this.#bytes[this.#at++] = code;
    }
  }

  /**
   * A KeyValue with a string value, both copied from `source`: what most attributes are. Small ones
   * take one check for room and no moves, which made translating Jaeger a quarter quicker.
   */
  textPair(
    field: number,
    source: Uint8Array,
    key: number,
    keyEnd: number,
    text: number,
    textEnd: number,
  ): void {
    const [keyBytes, textBytes] = [keyEnd - key, textEnd - text];
    // Three tags and lengths within: every length fits one byte then.
    const length = keyBytes + textBytes + 6;
    if (length > 0x7f) {
      const pair = this.begin(field);
      this.bytes(1, source, key, keyEnd);
      const value = this.begin(2);
      this.bytes(1, source, text, textEnd);
      this.end(value);
      this.end(pair);
      return;
    }
    this.#room(VARINT_BYTES_MAX + 1 + length);
    this.#tag(field, BYTES);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = length;
    bytes[at++] = 8 + BYTES;
    bytes[at++] = keyBytes;
    for (let i = key; i < keyEnd; i++) bytes[at++] = source[i] as number;
    bytes[at++] = 16 + BYTES;
    bytes[at++] = textBytes + 2;
    bytes[at++] = 8 + BYTES;
    bytes[at++] = textBytes;
    for (let i = text; i < textEnd; i++) bytes[at++] = source[i] as number;
    this.#at = at;
  }

  /** Begins a message field; what is written until `end(mark)` is its content. */
  begin(field: number): number {
    this.#room(VARINT_BYTES_MAX + 1);
    this.#tag(field, BYTES);
    this.#at += 1;
    return this.#at;
  }

  /**
   * Ends the message that `begin` returned `mark` for. One byte was left for its length: a longer
   * length moves the content, which costs less than knowing the length beforehand would.
   */
  end(mark: number): void {
    const length = this.#at - mark;
    if (length <= 0x7f) {
      this.#bytes[mark - 1] = length;
      return;
    }
    const extra = varintBytes(length) - 1;
    this.#room(extra);
    this.#bytes.copyWithin(mark + extra, mark, this.#at);
    this.#at = mark - 1;
    this.#varint(length);
    this.#at += length;
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number): void {
    if (value <= 0x7f) {
      this.#bytes[this.#at++] = value;
      return;
    }
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at++] = rest;
  }

  #room(needed: number): void {
    if (this.#at + needed <= this.#bytes.length) return;
    const grown = new Uint8Array(
      Math.max(this.#bytes.length * 2, this.#at + needed, this.#capacity),
    );
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}
