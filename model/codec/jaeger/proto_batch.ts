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
import { durationOfSeconds, timeOfSeconds } from './nanos.ts';
import type { Decoded } from './problem.ts';
import { ProtoCursor } from './proto_cursor.ts';
import {
  clear,
  isIdLength,
  isSame,
  putId,
  type Range,
  readLog,
  readTag,
  readTime,
  take,
} from './proto_fields.ts';
import type { SpanBuilder } from './span_builder.ts';

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

/** Used again for the next span: to make one costs more than to read a span into it. */
let single: BatchBuilder | undefined;

/** One span by itself, with its process in it: a message of a `jaeger_proto` Kafka topic. */
export function spanToOtlp(bytes: Uint8Array, bytesMax: number): Decoded {
  if (single?.bytesMax !== bytesMax) single = new BatchBuilder(bytesMax);
  const builder = single;
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
