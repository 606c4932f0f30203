// Jaeger's model.proto to OTLP:
//
//   PostSpansRequest = 1 Batch                  Batch   = 1 repeated Span, 2 Process
//   Span     = 1 trace_id, 2 span_id, 3 operation_name, 4 repeated SpanRef, 5 flags, 6 start_time,
//              7 duration, 8 repeated KeyValue tags, 9 repeated Log, 10 Process, 11 process_id,
//              12 repeated string warnings
//   KeyValue = 1 key, 2 v_type, 3 v_str, 4 v_bool, 5 v_int64, 6 v_float64, 7 v_binary
//   Log      = 1 Timestamp, 2 repeated KeyValue           Process = 1 service_name, 2 tags
//   SpanRef  = 1 trace_id, 2 span_id, 3 ref_type          Timestamp, Duration = 1 seconds, 2 nanos

import type { ProtoWriter } from '../otlp/proto_writer.ts';
import { BatchBuilder } from './batch_builder.ts';
import { durationOfSeconds, fromHalves, nanos, timeOfSeconds } from './nanos.ts';
import { type Decoded, JaegerProblem } from './problem.ts';
import { ProtoCursor } from './proto_cursor.ts';
import type { SpanBuilder } from './span_builder.ts';
import { BINARY, STRING, type Tag } from './tag.ts';

/** A place in the source; empty when the field did not come. */
interface Range {
  start: number;
  end: number;
}

/** A PostSpansRequest; the result has no more than `bytesMax` bytes. */
export function postSpansToOtlp(bytes: Uint8Array, bytesMax: number): Decoded {
  const builder = new BatchBuilder(bytesMax, bytes.length);
  const problem = builder.batch(() => {
    const cursor = new ProtoCursor(bytes);
    const batch: Range = { start: 0, end: 0 };
    while (cursor.next()) {
      if (cursor.field !== 1) {
        cursor.skip();
        continue;
      }
      // The last one counts, as everywhere that a single message comes twice.
      cursor.range();
      batch.start = cursor.rangeStart;
      batch.end = cursor.rangeEnd;
    }
    readBatch(new ProtoCursor(bytes, batch.start, batch.end), builder);
  });
  if (problem !== undefined) return problem;
  const { spans } = builder;
  return { ok: true, bytes: builder.finish(), spans };
}

/** One span by itself, with its process in it: a message of a `jaeger_proto` Kafka topic. */
export function spanToOtlp(bytes: Uint8Array, bytesMax: number): Decoded {
  const builder = new BatchBuilder(bytesMax, bytes.length);
  const problem = builder.batch(() => {
    new BatchReader(bytes, builder, { start: 0, end: 0 }).span(0, bytes.length);
  });
  if (problem !== undefined) return problem;
  const { spans } = builder;
  return { ok: true, bytes: builder.finish(), spans };
}

/** Twice over the batch's own fields: its process comes after the spans that need it. */
function readBatch(cursor: ProtoCursor, builder: BatchBuilder): void {
  const { at } = cursor;
  const process: Range = { start: 0, end: 0 };
  while (cursor.next()) {
    if (cursor.field === 2) {
      cursor.range();
      process.start = cursor.rangeStart;
      process.end = cursor.rangeEnd;
    } else cursor.skip();
  }
  const reader = new BatchReader(cursor.bytes, builder, process);
  cursor.at = at;
  while (cursor.next()) {
    if (cursor.field === 1) {
      cursor.range();
      reader.span(cursor.rangeStart, cursor.rangeEnd);
    } else cursor.skip();
  }
}

class BatchReader {
  readonly #cursor: ProtoCursor;
  readonly #builder: BatchBuilder;
  readonly #process: Range;
  /** The process of the open resource. */
  #open: Range | undefined;
  /** Ids of the span or reference that is being read, as they came. */
  readonly #traceId: Range = { start: 0, end: 0 };
  readonly #spanId: Range = { start: 0, end: 0 };
  readonly #linkTraceId: Range = { start: 0, end: 0 };
  readonly #linkSpanId: Range = { start: 0, end: 0 };
  readonly #referenceIds = Buffer.alloc(24);
  readonly #writeIds = (out: ProtoWriter, ids: Buffer): void => this.#ids(out, ids);

  constructor(bytes: Uint8Array, builder: BatchBuilder, process: Range) {
    this.#cursor = new ProtoCursor(bytes);
    this.#builder = builder;
    this.#process = process;
  }

  span(start: number, end: number): void {
    const cursor = this.#cursor;
    const { span } = this.#builder;
    cursor.at = start;
    cursor.end = end;
    span.begin(cursor.bytes);
    clear(this.#traceId);
    clear(this.#spanId);
    let own: Range | undefined;
    while (cursor.next()) {
      if (cursor.field === 10) {
        cursor.range();
        own = { start: cursor.rangeStart, end: cursor.rangeEnd };
      } else this.#spanField(cursor, span);
    }
    putId(cursor.bytes, this.#traceId, span.ids, 0, 16);
    putId(cursor.bytes, this.#spanId, span.ids, 16, 8);
    span.finish(this.#writeIds);
    this.#useProcess(own ?? this.#process);
    this.#builder.addSpan();
  }

  #spanField(cursor: ProtoCursor, span: SpanBuilder): void {
    switch (cursor.field) {
      case 1:
        take(cursor, this.#traceId);
        return;
      case 2:
        take(cursor, this.#spanId);
        return;
      case 3:
        cursor.range();
        span.nameStart = cursor.rangeStart;
        span.nameEnd = cursor.rangeEnd;
        return;
      case 4:
        this.#reference(cursor, span);
        return;
      case 5:
        span.flags(cursor.int32());
        return;
      case 6:
        readTime(cursor, timeOfSeconds);
        span.start();
        return;
      case 7:
        readTime(cursor, durationOfSeconds);
        span.duration();
        return;
      case 8:
        readTag(cursor, span.current);
        span.tag();
        return;
      case 9:
        readLog(cursor, span);
        return;
      case 12:
        cursor.range();
        span.warning(cursor.rangeStart, cursor.rangeEnd);
        return;
      default:
        // Also process_id: without the map of a whole trace it names nothing.
        cursor.skip();
    }
  }

  /** Ids of another length than they have cannot be a link: counted as dropped. */
  #reference(cursor: ProtoCursor, span: SpanBuilder): void {
    const [traceId, spanId] = [this.#linkTraceId, this.#linkSpanId];
    clear(traceId);
    clear(spanId);
    let type = 0;
    const outer = cursor.enter();
    while (cursor.next()) {
      if (cursor.field === 1) take(cursor, traceId);
      else if (cursor.field === 2) take(cursor, spanId);
      else if (cursor.field === 3) type = cursor.int32();
      else cursor.skip();
    }
    cursor.leave(outer);
    const ids = this.#referenceIds;
    const fits =
      putId(cursor.bytes, traceId, ids, 0, 16) && putId(cursor.bytes, spanId, ids, 16, 8);
    if (fits) span.links.add(type, ids);
    else span.links.dropped++;
  }

  /** Ids of another length go on as they came: the check rejects such a span, and no other. */
  #ids(out: ProtoWriter, ids: Buffer): void {
    const source = this.#cursor.bytes;
    if (isIdLength(this.#traceId, 16)) out.bytes(1, ids, 0, 16);
    else out.bytes(1, source, this.#traceId.start, this.#traceId.end);
    if (isIdLength(this.#spanId, 8)) out.bytes(2, ids, 16, 24);
    else out.bytes(2, source, this.#spanId.start, this.#spanId.end);
  }

  /** Spans of the same process, byte for byte, share a resource while they follow each other. */
  #useProcess(process: Range): void {
    const { bytes } = this.#cursor;
    if (this.#open !== undefined && isSame(bytes, this.#open, process)) return;
    this.#open = process;
    this.#builder.openResource();
    const cursor = new ProtoCursor(bytes, process.start, process.end);
    const tag = this.#builder.span.processTag;
    const name: Range = { start: 0, end: 0 };
    this.#builder.beginProcess();
    while (cursor.next()) {
      if (cursor.field === 1) take(cursor, name);
      else if (cursor.field === 2) {
        readTag(cursor, tag);
        this.#builder.processTag(bytes, tag);
      } else cursor.skip();
    }
    this.#builder.endProcess(bytes, name.start, name.end);
  }
}

function readLog(cursor: ProtoCursor, span: SpanBuilder): void {
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

function readTag(cursor: ProtoCursor, tag: Tag): void {
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

function readTime(
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

function take(cursor: ProtoCursor, range: Range): void {
  cursor.range();
  range.start = cursor.rangeStart;
  range.end = cursor.rangeEnd;
}

function clear(range: Range): void {
  range.start = 0;
  range.end = 0;
}

/** Trace ids may be of 64 bits. */
function isIdLength({ start, end }: Range, bytes: number): boolean {
  return end - start === bytes || (bytes === 16 && end - start === 8);
}

/** Right-aligned into `into`; false, and zeros, when the length is not that of such an id. */
function putId(source: Uint8Array, range: Range, into: Buffer, at: number, bytes: number): boolean {
  for (let i = at; i < at + bytes; i++) into[i] = 0;
  if (!isIdLength(range, bytes)) return false;
  const offset = at + bytes - (range.end - range.start);
  for (let i = range.start; i < range.end; i++)
    into[offset + i - range.start] = source[i] as number;
  return true;
}

function isSame(source: Uint8Array, a: Range, b: Range): boolean {
  if (a.start === b.start && a.end === b.end) return true;
  if (a.end - a.start !== b.end - b.start) return false;
  for (let i = 0; i < a.end - a.start; i++) {
    if (source[a.start + i] !== source[b.start + i]) return false;
  }
  return true;
}
