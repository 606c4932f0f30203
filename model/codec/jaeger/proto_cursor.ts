// A cursor over protobuf that a client sent: no objects, no bigints, no trust. The rules are those of
// model/codec/otlp/README.md: lengths within what encloses them, wire types 0, 1, 2 and 5 only, a
// known field of another wire type is malformed, unknown fields are skipped.

import { JaegerProblem } from './problem.ts';

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const VARINT_BYTES_MAX = 10;

export class ProtoCursor {
  readonly bytes: Uint8Array;
  at: number;
  /** The end of the innermost message that is open. */
  end: number;
  field = 0;
  /** Halves of the last `int64`. */
  high = 0;
  low = 0;
  /** Of the last `range`. */
  rangeStart = 0;
  rangeEnd = 0;
  readonly #view: DataView;
  #wire = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
    this.end = end;
  }

  /** Moves to the next field; false at the end of the innermost open message. */
  next(): boolean {
    if (this.at >= this.end) return false;
    const tag = this.#short();
    this.field = tag >>> 3;
    this.#wire = tag & 7;
    if (this.field === 0) throw new JaegerProblem('a protobuf field number was 0');
    return true;
  }

  /** Opens the message that the field is; returns what `leave` needs. */
  enter(): number {
    this.range();
    const outer = this.end;
    this.at = this.rangeStart;
    this.end = this.rangeEnd;
    return outer;
  }

  /** Leaves the message, read or not. */
  leave(outer: number): void {
    this.at = this.end;
    this.end = outer;
  }

  /** A string, bytes or message, into `rangeStart` and `rangeEnd`. */
  range(): void {
    this.#expect(BYTES);
    const length = this.#short();
    const left = this.end - this.at;
    if (length > left) {
      throw new JaegerProblem(
        `field ${this.field} at byte ${this.at} was announced with ${length} bytes, ` +
          `but ${left} are left in its message`,
      );
    }
    this.rangeStart = this.at;
    this.at += length;
    this.rangeEnd = this.at;
  }

  /** Into `high` and `low`. */
  int64(): void {
    this.#expect(VARINT);
    this.#varint();
  }

  /** The low 32 bits, signed. */
  int32(): number {
    this.int64();
    return this.low | 0;
  }

  bool(): boolean {
    this.int64();
    return this.high !== 0 || this.low !== 0;
  }

  double(): number {
    this.#expect(FIXED64);
    return this.#view.getFloat64(this.#take(8), true);
  }

  skip(): void {
    switch (this.#wire) {
      case VARINT:
        this.#varint();
        return;
      case FIXED64:
        this.#take(8);
        return;
      case BYTES:
        this.range();
        return;
      case FIXED32:
        this.#take(4);
        return;
      default:
        throw new JaegerProblem(`field ${this.field} has the protobuf wire type ${this.#wire}`);
    }
  }

  #expect(wire: number): void {
    if (this.#wire === wire) return;
    throw new JaegerProblem(
      `field ${this.field} was expected with wire type ${wire}, but came with ${this.#wire}`,
    );
  }

  #take(count: number): number {
    const at = this.at;
    if (count > this.end - at) throw this.#cut();
    this.at = at + count;
    return at;
  }

  /** Tags and lengths: at most 32 bits, mostly one byte. */
  #short(): number {
    const first = this.bytes[this.at] as number;
    if (first < 128 && this.at < this.end) {
      this.at++;
      return first;
    }
    return this.#long();
  }

  #long(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 28; factor *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * factor;
      if (byte < 128) {
        if (value >= 2 ** 32) break;
        return value;
      }
    }
    throw new JaegerProblem(`a protobuf tag or length before byte ${this.at} is above 2^32`);
  }

  #varint(): void {
    const { bytes } = this;
    const end = Math.min(this.end, this.at + VARINT_BYTES_MAX);
    let low = 0;
    let high = 0;
    let at = this.at;
    for (let shift = 0; at < end; shift += 7) {
      const byte = bytes[at++] as number;
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 128) {
        this.at = at;
        this.low = low;
        this.high = high;
        return;
      }
    }
    this.at = at;
    if (at >= this.end) throw this.#cut();
    throw new JaegerProblem(`a protobuf varint before byte ${at} is longer than ten bytes`);
  }

  #byte(): number {
    if (this.at >= this.end) throw this.#cut();
    return this.bytes[this.at++] as number;
  }

  #cut(): JaegerProblem {
    return new JaegerProblem(`a protobuf message ends at byte ${this.end}, within a field`);
  }
}
