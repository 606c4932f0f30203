// Thrift's binary protocol, strict and old (thrift.apache.org: thrift-binary-protocol.md).
//
//   struct  = (type:i8 id:i16 value)* 0:i8           list, set = type:i8 size:i32 value*
//   string  = length:i32 bytes                       map       = key:i8 value:i8 size:i32 …
//   message = 0x8001:u16 0:i8 type:i8 name:string sequence:i32      (strict)
//           | name:string type:i8 sequence:i32                      (old)

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
  type ThriftReader,
  tooDeep,
  tooManyElements,
  UUID,
  wrongType,
} from './thrift_reader.ts';

/** The fewest bytes of a value, by type; 0 where there is no such type. */
const LEAST = new Uint8Array(256);
for (const [type, least] of [
  [BOOL, 1],
  [BYTE, 1],
  [DOUBLE, 8],
  [I16, 2],
  [I32, 4],
  [I64, 8],
  [STRING, 4],
  [STRUCT, 1],
  [MAP, 6],
  [SET, 5],
  [LIST, 5],
  [UUID, 16],
] as const) {
  LEAST[type] = least;
}

/** Types whose length is fixed, which can be skipped many at a time. */
const FIXED_TYPES: ReadonlySet<number> = new Set([BOOL, BYTE, DOUBLE, I16, I32, I64, UUID]);

export class BinaryReader implements ThriftReader {
  readonly bytes: Uint8Array;
  fieldId = 0;
  fieldType: number = STOP;
  high = 0;
  low = 0;
  start = 0;
  end = 0;
  at: number;
  readonly #view: DataView;
  readonly #limit: number;
  #depth = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
    this.#limit = end;
  }

  message(): number {
    const first = this.#int32();
    if (first >= 0) {
      // Old: the number was the length of the name.
      this.#range(first);
      const type = this.#byte();
      this.#int32();
      return type;
    }
    if (first >>> 16 !== 0x8001) throw badVersion('80 01, for strict binary Thrift');
    this.#range(this.#int32());
    this.#int32();
    return first & 0xff;
  }

  enterStruct(): void {
    if (++this.#depth > THRIFT_DEPTH_MAX) throw tooDeep(this.at);
  }

  struct(): void {
    this.#expect(STRUCT);
    this.enterStruct();
  }

  nextField(): boolean {
    const type = this.#byte();
    if (type === STOP) {
      this.#depth--;
      return false;
    }
    if (LEAST[type] === 0) throw badType(this.at - 1, type);
    this.fieldType = type;
    this.fieldId = this.#view.getInt16(this.#take(2));
    return true;
  }

  bool(): boolean {
    this.#expect(BOOL);
    return this.#byte() !== 0;
  }

  byte(): number {
    this.#expect(BYTE);
    return this.#view.getInt8(this.#take(1));
  }

  i16(): number {
    this.#expect(I16);
    return this.#view.getInt16(this.#take(2));
  }

  i32(): number {
    this.#expect(I32);
    return this.#int32();
  }

  i64(): void {
    this.#expect(I64);
    const at = this.#take(8);
    this.high = this.#view.getInt32(at);
    this.low = this.#view.getInt32(at + 4);
  }

  double(): number {
    this.#expect(DOUBLE);
    return this.#view.getFloat64(this.#take(8));
  }

  binary(): void {
    this.#expect(STRING);
    this.#range(this.#int32());
  }

  list(elementType: number): number {
    if (this.fieldType !== LIST && this.fieldType !== SET) {
      throw wrongType(this.fieldId, LIST, this.fieldType);
    }
    return this.bareList(elementType);
  }

  bareList(elementType: number): number {
    const type = this.#byte();
    const count = this.#count(LEAST[type] as number);
    // An empty list may name any type: some writers put 0 there.
    if (count > 0 && type !== elementType) throw wrongType(this.fieldId, elementType, type);
    return count;
  }

  skip(): void {
    this.#skip(this.fieldType, this.#depth);
  }

  #skip(type: number, depth: number): void {
    if (depth > THRIFT_DEPTH_MAX) throw tooDeep(this.at);
    switch (type) {
      case STRING:
        this.#range(this.#int32());
        return;
      case STRUCT:
        for (let field = this.#byte(); field !== STOP; field = this.#byte()) {
          this.#take(2);
          this.#skip(field, depth + 1);
        }
        return;
      case SET:
      case LIST: {
        const element = this.#byte();
        this.#skipMany(element, this.#count(LEAST[element] as number), depth + 1);
        return;
      }
      case MAP: {
        const [key, value] = [this.#byte(), this.#byte()];
        const count = this.#count((LEAST[key] as number) + (LEAST[value] as number));
        if (count > 0 && LEAST[key] === 0) throw badType(this.at, key);
        for (let left = count; left > 0; left--) {
          this.#skip(key, depth + 1);
          this.#skip(value, depth + 1);
        }
        return;
      }
      default:
        this.#take(this.#fixed(type));
    }
  }

  #skipMany(type: number, count: number, depth: number): void {
    if (FIXED_TYPES.has(type)) this.#take(count * this.#fixed(type));
    else for (let left = count; left > 0; left--) this.#skip(type, depth);
  }

  #fixed(type: number): number {
    if (!FIXED_TYPES.has(type)) throw badType(this.at, type);
    return LEAST[type] as number;
  }

  /** A size whose elements take at least `least` bytes each. */
  #count(least: number): number {
    const count = this.#int32();
    const left = this.#limit - this.at;
    if (count < 0 || count * Math.max(least, 1) > left) {
      throw tooManyElements(this.at, count, left);
    }
    return count;
  }

  #expect(type: number): void {
    if (this.fieldType !== type) throw wrongType(this.fieldId, type, this.fieldType);
  }

  #byte(): number {
    return this.bytes[this.#take(1)] as number;
  }

  #int32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  /** A string's place, from its length. */
  #range(length: number): void {
    const left = this.#limit - this.at;
    if (length < 0 || length > left) throw cutShort(this.at, length, left);
    this.start = this.at;
    this.at += length;
    this.end = this.at;
  }

  #take(count: number): number {
    const at = this.at;
    if (count > this.#limit - at) throw cutShort(at, count, this.#limit - at);
    this.at = at + count;
    return at;
  }
}
