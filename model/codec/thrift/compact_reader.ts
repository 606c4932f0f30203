// Thrift's compact protocol (thrift.apache.org: thrift-compact-protocol.md).
//
//   struct  = (delta:4 type:4 | 0:4 type:4 id:zigzag) value … 0:i8; a bool field is its type
//   list    = size:4 type:4 | 15:4 type:4 size:varint; then the values, a bool being one byte
//   map     = 0:i8 | size:varint key:4 value:4 …           string = length:varint bytes
//   message = 0x82:u8 type:3 version:5 sequence:varint name:string
//   i16, i32, i64 = zigzag varint; double = 8 bytes, little endian

import { ThriftCursor } from './thrift_cursor.ts';
import {
  BOOL,
  BYTE,
  badType,
  badVersion,
  cutShort,
  DOUBLE,
  I16,
  I32,
  I64,
  LIST,
  MAP,
  SET,
  STOP,
  STRING,
  STRUCT,
  THRIFT_DEPTH_MAX,
  ThriftError,
  type ThriftReader,
  tooDeep,
  tooManyElements,
  UUID,
  wrongType,
} from './thrift_reader.ts';

const PROTOCOL_ID = 0x82;
const VERSION = 1;

const TRUE = 1;

/** By the compact protocol's number; 1 and 2 are true and false. */
const TYPES = [STOP, BOOL, BOOL, BYTE, I16, I32, I64, DOUBLE, STRING, LIST, SET, MAP, STRUCT, UUID];

/** A varint of 64 bits, seven a byte. */
const VARINT_BYTES_MAX = 10;

export class CompactReader extends ThriftCursor implements ThriftReader {
  /** The field's own id type: says what a bool is. */
  #compactType = 0;
  /** The last field id of each structure that is open. */
  readonly #lastIds = new Int16Array(THRIFT_DEPTH_MAX + 1);

  message(): number {
    if (this.nextByte() !== PROTOCOL_ID) throw badVersion('82, for compact Thrift');
    const versionAndType = this.nextByte();
    if ((versionAndType & 0x1f) !== VERSION) throw badVersion('82 and version 1');
    this.#varint64();
    this.range(this.#size());
    return versionAndType >>> 5;
  }

  override enterStruct(): void {
    super.enterStruct();
    this.#lastIds[this.depth] = 0;
  }

  nextField(): boolean {
    const head = this.nextByte();
    if (head === 0) {
      this.depth--;
      return false;
    }
    const delta = head >>> 4;
    this.#compactType = head & 0x0f;
    this.fieldType = this.#type(this.#compactType);
    this.fieldId =
      delta === 0 ? (this.#zigzag32() << 16) >> 16 : (this.#lastIds[this.depth] as number) + delta;
    this.#lastIds[this.depth] = this.fieldId;
    return true;
  }

  bool(): boolean {
    this.expect(BOOL);
    return this.#compactType === TRUE;
  }

  byte(): number {
    this.expect(BYTE);
    return this.view.getInt8(this.take(1));
  }

  i16(): number {
    this.expect(I16);
    return (this.#zigzag32() << 16) >> 16;
  }

  i32(): number {
    this.expect(I32);
    return this.#zigzag32();
  }

  i64(): void {
    this.expect(I64);
    this.#varint64();
    const sign = -(this.low & 1);
    this.low = ((this.low >>> 1) | (this.high << 31)) ^ sign;
    this.high = (this.high >>> 1) ^ sign;
  }

  double(): number {
    this.expect(DOUBLE);
    return this.view.getFloat64(this.take(8), true);
  }

  binary(): void {
    this.expect(STRING);
    this.range(this.#size());
  }

  bareList(elementType: number): number {
    const head = this.nextByte();
    const count = this.#listSize(head);
    if (count > 0) {
      const type = this.#type(head & 0x0f);
      if (type !== elementType) throw wrongType(this.fieldId, elementType, type);
    }
    return count;
  }

  skip(): void {
    // A bool field has no bytes of its own.
    if (this.fieldType !== BOOL) this.#skip(this.fieldType, this.depth);
  }

  #skip(type: number, depth: number): void {
    if (depth > THRIFT_DEPTH_MAX) throw tooDeep(this.at);
    switch (type) {
      case BOOL:
      case BYTE:
        this.take(1);
        return;
      case I16:
      case I32:
      case I64:
        this.#varint64();
        return;
      case DOUBLE:
        this.take(8);
        return;
      case UUID:
        this.take(16);
        return;
      case STRING:
        this.range(this.#size());
        return;
      case STRUCT:
        this.#skipStruct(depth);
        return;
      case SET:
      case LIST: {
        const head = this.nextByte();
        const count = this.#listSize(head);
        if (count === 0) return;
        const element = this.#type(head & 0x0f);
        for (let left = count; left > 0; left--) this.#skip(element, depth + 1);
        return;
      }
      case MAP:
        this.#skipMap(depth);
        return;
      default:
        throw badType(this.at, type);
    }
  }

  #skipStruct(depth: number): void {
    for (let head = this.nextByte(); head !== 0; head = this.nextByte()) {
      if (head >>> 4 === 0) this.#zigzag32();
      const type = this.#type(head & 0x0f);
      if (type !== BOOL) this.#skip(type, depth + 1);
    }
  }

  #skipMap(depth: number): void {
    const count = this.#size();
    if (count === 0) return;
    const types = this.nextByte();
    const [key, value] = [this.#type(types >>> 4), this.#type(types & 0x0f)];
    // A key and a value take a byte each at least.
    if (count * 2 > this.#left()) throw tooManyElements(this.at, count, this.#left());
    for (let left = count; left > 0; left--) {
      this.#skip(key, depth + 1);
      this.#skip(value, depth + 1);
    }
  }

  /** Every element takes a byte at least. */
  #listSize(head: number): number {
    const short = head >>> 4;
    const count = short === 15 ? this.#size() : short;
    if (count > this.#left()) throw tooManyElements(this.at, count, this.#left());
    return count;
  }

  #type(compact: number): number {
    const type = TYPES[compact];
    if (type === undefined || type === STOP) throw badType(this.at - 1, compact);
    return type;
  }

  /** A size or length: an unsigned varint of 32 bits, mostly one byte. */
  #size(): number {
    const first = this.bytes[this.at] as number;
    if (first < 128 && this.at < this.limit) {
      this.at++;
      return first;
    }
    return this.#longSize();
  }

  #longSize(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 28; factor *= 128) {
      const byte = this.nextByte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw longVarint(this.at, 5);
  }

  /** i32 and i16. Longer than 32 bits: the low ones, as Apache's readers have it. */
  #zigzag32(): number {
    const first = this.bytes[this.at] as number;
    if (first < 128 && this.at < this.limit) {
      this.at++;
      return (first >>> 1) ^ -(first & 1);
    }
    this.#varint64();
    return (this.low >>> 1) ^ -(this.low & 1);
  }

  /** An unsigned varint, into `high` and `low`. */
  #varint64(): void {
    const { bytes } = this;
    const end = Math.min(this.limit, this.at + VARINT_BYTES_MAX);
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
    if (at >= this.limit) throw cutShort(at, 1, 0);
    throw longVarint(at, VARINT_BYTES_MAX);
  }

  #left(): number {
    return this.limit - this.at;
  }
}

function longVarint(at: number, bytesMax: number): ThriftError {
  return new ThriftError(`at byte ${at} a Thrift varint is longer than ${bytesMax} bytes`);
}
