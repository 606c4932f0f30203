// What both Thrift readers keep and do alike: a place in bytes that nobody has checked.

import {
  cutShort,
  LIST,
  SET,
  STOP,
  STRUCT,
  THRIFT_DEPTH_MAX,
  tooDeep,
  wrongType,
} from './thrift_reader.ts';

/** The fields are those of ThriftReader. */
export abstract class ThriftCursor {
  readonly bytes: Uint8Array;
  fieldId = 0;
  fieldType: number = STOP;
  high = 0;
  low = 0;
  start = 0;
  end = 0;
  at: number;
  protected readonly view: DataView;
  /** Bytes end here. */
  protected readonly limit: number;
  /** Structures that are open. */
  protected depth = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
    this.limit = end;
  }

  abstract bareList(elementType: number): number;

  enterStruct(): void {
    if (++this.depth > THRIFT_DEPTH_MAX) throw tooDeep(this.at);
  }

  struct(): void {
    this.expect(STRUCT);
    this.enterStruct();
  }

  list(elementType: number): number {
    if (this.fieldType !== LIST && this.fieldType !== SET) {
      throw wrongType(this.fieldId, LIST, this.fieldType);
    }
    return this.bareList(elementType);
  }

  protected expect(type: number): void {
    if (this.fieldType !== type) throw wrongType(this.fieldId, type, this.fieldType);
  }

  protected nextByte(): number {
    if (this.at >= this.limit) throw cutShort(this.at, 1, 0);
    return this.bytes[this.at++] as number;
  }

  /** A string's place, from its length. */
  protected range(length: number): void {
    const left = this.limit - this.at;
    if (length < 0 || length > left) throw cutShort(this.at, length, left);
    this.start = this.at;
    this.at += length;
    this.end = this.at;
  }

  /** Passes over `count` bytes; returns where they begin. */
  protected take(count: number): number {
    const at = this.at;
    if (count > this.limit - at) throw cutShort(at, count, this.limit - at);
    this.at = at + count;
    return at;
  }
}
