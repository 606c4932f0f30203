// One tag as it was read, before anything was made of it: where its parts are in the source.

import type { ProtoWriter } from '../otlp/proto_writer.ts';

/** Value types, our numbers: the two formats number them differently. */
export const STRING = 0;
export const BOOL = 1;
export const INT64 = 2;
export const FLOAT64 = 3;
export const BINARY = 4;

/** Filled and used again for every tag: there are ten of them in a span. */
export class Tag {
  keyStart = 0;
  keyEnd = 0;
  type: number = STRING;
  /** Of a string or bytes. */
  start = 0;
  end = 0;
  bool = false;
  /** Of an int64. */
  high = 0;
  low = 0;
  double = 0;

  clear(): void {
    this.keyStart = 0;
    this.keyEnd = 0;
    this.type = STRING;
    this.start = 0;
    this.end = 0;
    this.bool = false;
    this.high = 0;
    this.low = 0;
    this.double = 0;
  }
}

/** OTLP KeyValue: 1 key, 2 AnyValue. */
export function writeTag(out: ProtoWriter, field: number, source: Uint8Array, tag: Tag): void {
  if (tag.type === STRING) {
    out.textPair(field, source, tag.keyStart, tag.keyEnd, tag.start, tag.end);
    return;
  }
  const attribute = out.begin(field);
  out.bytes(1, source, tag.keyStart, tag.keyEnd);
  const value = out.begin(2);
  switch (tag.type) {
    case BOOL:
      out.uint(2, tag.bool ? 1 : 0);
      break;
    case INT64:
      out.intOf(3, tag.high, tag.low);
      break;
    case FLOAT64:
      out.double(4, tag.double);
      break;
    case BINARY:
      out.bytes(7, source, tag.start, tag.end);
      break;
  }
  out.end(value);
  out.end(attribute);
}

/** A string attribute of ours, all in UTF-8. */
export function writeText(
  out: ProtoWriter,
  field: number,
  key: Uint8Array,
  text: Uint8Array,
): void {
  const attribute = out.begin(field);
  out.bytes(1, key);
  const value = out.begin(2);
  out.bytes(1, text);
  out.end(value);
  out.end(attribute);
}
