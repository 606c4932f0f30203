// Parts of Jaeger's protobuf messages, each read at the cursor's place into what is used again for the
// next one: tags, logs, times, and ids as places in the source.

import { fromHalves, nanos, timeOfSeconds } from './nanos.ts';
import { JaegerProblem } from './problem.ts';
import type { ProtoCursor } from './proto_cursor.ts';
import type { SpanBuilder } from './span_builder.ts';
import { BINARY, STRING, type Tag } from './tag.ts';

/** A place in the source; empty when the field did not come. */
export interface Range {
  start: number;
  end: number;
}

export function readLog(cursor: ProtoCursor, span: SpanBuilder): void {
  let high = 0;
  let low = 0;
  span.beginLog();
  const outer = cursor.enter();
  while (cursor.next()) {
    if (cursor.field === 1) {
      readTime(cursor, timeOfSeconds);
      ({ high, low } = nanos);
    } else if (cursor.field === 2) {
      readTag(cursor, span.current);
      span.field();
    } else cursor.skip();
  }
  cursor.leave(outer);
  span.endLog(high, low);
}

export function readTag(cursor: ProtoCursor, tag: Tag): void {
  let textStart = 0;
  let textEnd = 0;
  tag.clear();
  const outer = cursor.enter();
  while (cursor.next()) {
    switch (cursor.field) {
      case 1:
        cursor.range();
        tag.keyStart = cursor.rangeStart;
        tag.keyEnd = cursor.rangeEnd;
        break;
      case 2:
        // v_type has our numbers.
        tag.type = cursor.int32();
        break;
      case 3:
        cursor.range();
        textStart = cursor.rangeStart;
        textEnd = cursor.rangeEnd;
        break;
      case 4:
        tag.bool = cursor.bool();
        break;
      case 5:
        cursor.int64();
        tag.high = cursor.high;
        tag.low = cursor.low;
        break;
      case 6:
        tag.double = cursor.double();
        break;
      case 7:
        cursor.range();
        tag.start = cursor.rangeStart;
        tag.end = cursor.rangeEnd;
        break;
      default:
        cursor.skip();
    }
  }
  cursor.leave(outer);
  if (tag.type < STRING || tag.type > BINARY) {
    throw new JaegerProblem('a KeyValue has a v_type that is none of 0 to 4');
  }
  if (tag.type !== STRING) return;
  tag.start = textStart;
  tag.end = textEnd;
}

export function readTime(
  cursor: ProtoCursor,
  convert: (seconds: number, nanosOfSecond: number) => void,
): void {
  let seconds = 0;
  let nanosOfSecond = 0;
  const outer = cursor.enter();
  while (cursor.next()) {
    if (cursor.field === 1) {
      cursor.int64();
      seconds = fromHalves(cursor.high, cursor.low);
    } else if (cursor.field === 2) nanosOfSecond = cursor.int32();
    else cursor.skip();
  }
  cursor.leave(outer);
  convert(seconds, nanosOfSecond);
}

export function take(cursor: ProtoCursor, range: Range): void {
  cursor.range();
  range.start = cursor.rangeStart;
  range.end = cursor.rangeEnd;
}

export function clear(range: Range): void {
  range.start = 0;
  range.end = 0;
}

/** Trace ids may be of 64 bits. */
export function isIdLength({ start, end }: Range, bytes: number): boolean {
  return end - start === bytes || (bytes === 16 && end - start === 8);
}

/** Right-aligned into `into`; false, and zeros, when the length is not that of such an id. */
export function putId(
  source: Uint8Array,
  range: Range,
  into: Buffer,
  at: number,
  bytes: number,
): boolean {
  for (let i = at; i < at + bytes; i++) into[i] = 0;
  if (!isIdLength(range, bytes)) return false;
  const offset = at + bytes - (range.end - range.start);
  for (let i = range.start; i < range.end; i++)
    into[offset + i - range.start] = source[i] as number;
  return true;
}

export function isSame(source: Uint8Array, a: Range, b: Range): boolean {
  if (a.start === b.start && a.end === b.end) return true;
  if (a.end - a.start !== b.end - b.start) return false;
  for (let i = 0; i < a.end - a.start; i++) {
    if (source[a.start + i] !== source[b.start + i]) return false;
  }
  return true;
}
