// Thrift's binary protocol, strict and old (thrift.apache.org: thrift-binary-protocol.md).
//
//   struct  = (type:i8 id:i16 value)* 0:i8           list, set = type:i8 size:i32 value*
//   string  = length:i32 bytes                       map       = key:i8 value:i8 size:i32 …
//   message = 0x8001:u16 0:i8 type:i8 name:string sequence:i32      (strict)
//           | name:string type:i8 sequence:i32                      (old)

import { ThriftCursor } from './thrift_cursor.ts';
import {
  BOOL,
  BYTE,
  badType,
  badVersion,
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

export class BinaryReader extends ThriftCursor implements ThriftReader {
  message(): number {
    const first = this.#int32();
    if (first >= 0) {
      // Old: the number was the length of the name.
      this.range(first);
      const type = this.nextByte();
      this.#int32();
      return type;
    }
    if (first >>> 16 !== 0x8001) throw badVersion('80 01, for strict binary Thrift');
    this.range(this.#int32());
    this.#int32();
    return first & 0xff;
  }

  nextField(): boolean {
    const type = this.nextByte();
    if (type === STOP) {
      this.depth--;
      return false;
    }
    if (LEAST[type] === 0) throw badType(this.at - 1, type);
    this.fieldType = type;
    this.fieldId = this.view.getInt16(this.take(2));
    return true;
  }

  bool(): boolean {
    this.expect(BOOL);
    return this.nextByte() !== 0;
  }

  byte(): number {
    this.expect(BYTE);
    return this.view.getInt8(this.take(1));
  }

  i16(): number {
    this.expect(I16);
    return this.view.getInt16(this.take(2));
  }

  i32(): number {
    this.expect(I32);
    return this.#int32();
  }

  i64(): void {
    this.expect(I64);
    const at = this.take(8);
    this.high = this.view.getInt32(at);
    this.low = this.view.getInt32(at + 4);
  }

  double(): number {
    this.expect(DOUBLE);
    return this.view.getFloat64(this.take(8));
  }

  binary(): void {
    this.expect(STRING);
    this.range(this.#int32());
  }

  bareList(elementType: number): number {
    const type = this.nextByte();
    const count = this.#count(LEAST[type] as number);
    // An empty list may name any type: some writers put 0 there.
    if (count > 0 && type !== elementType) throw wrongType(this.fieldId, elementType, type);
    return count;
  }

  skip(): void {
    this.#skip(this.fieldType, this.depth);
  }

  #skip(type: number, depth: number): void {
    if (depth > THRIFT_DEPTH_MAX) throw tooDeep(this.at);
    switch (type) {
      case STRING:
        this.range(this.#int32());
        return;
      case STRUCT:
        for (let field = this.nextByte(); field !== STOP; field = this.nextByte()) {
          this.take(2);
          this.#skip(field, depth + 1);
        }
        return;
      case SET:
      case LIST: {
        const element = this.nextByte();
        this.#skipMany(element, this.#count(LEAST[element] as number), depth + 1);
        return;
      }
      case MAP: {
        const [key, value] = [this.nextByte(), this.nextByte()];
        const count = this.#count((LEAST[key] as number) + (LEAST[value] as number));
        if (count > 0 && LEAST[key] === 0) throw badType(this.at, key);
        for (let left = count; left > 0; left--) {
          this.#skip(key, depth + 1);
          this.#skip(value, depth + 1);
        }
        return;
      }
      default:
        this.take(this.#fixed(type));
    }
  }

  #skipMany(type: number, count: number, depth: number): void {
    if (FIXED_TYPES.has(type)) this.take(count * this.#fixed(type));
    else for (let left = count; left > 0; left--) this.#skip(type, depth);
  }

  #fixed(type: number): number {
    if (!FIXED_TYPES.has(type)) throw badType(this.at, type);
    return LEAST[type] as number;
  }

  /** A size whose elements take at least `least` bytes each. */
  #count(least: number): number {
    const count = this.#int32();
    const left = this.limit - this.at;
    if (count < 0 || count * Math.max(least, 1) > left) {
      throw tooManyElements(this.at, count, left);
    }
    return count;
  }

  #int32(): number {
    return this.view.getInt32(this.take(4));
  }
}
