// jaeger.thrift and agent.thrift to OTLP:
//
//   Batch   = 1 process, 2 list<Span> spans               Process = 1 serviceName, 2 list<Tag> tags
//   Span    = 1 traceIdLow, 2 traceIdHigh, 3 spanId, 4 parentSpanId, 5 operationName,
//             6 list<SpanRef> references, 7 flags, 8 startTime (us), 9 duration (us),
//             10 list<Tag> tags, 11 list<Log> logs
//   Tag     = 1 key, 2 vType, 3 vStr, 4 vDouble, 5 vBool, 6 vLong, 7 vBinary
//   Log     = 1 timestamp (us), 2 list<Tag> fields
//   SpanRef = 1 refType, 2 traceIdLow, 3 traceIdHigh, 4 spanId
//   emitBatch(1: Batch)
//
// What the IDL calls required must be there, as for the readers that Thrift generates.

import type { ProtoWriter } from '../otlp/proto_writer.ts';
import { STRUCT, type ThriftReader } from '../thrift/thrift_reader.ts';
import type { BatchBuilder } from './batch_builder.ts';
import { durationOfMicros, fromHalves, nanos, timeOfMicros } from './nanos.ts';
import { JaegerProblem } from './problem.ts';
import type { SpanBuilder } from './span_builder.ts';
import { BINARY, BOOL, FLOAT64, INT64, STRING, type Tag } from './tag.ts';

/** Where ids stand in SpanBuilder.ids. */
const TRACE_HIGH = 0;
const TRACE_LOW = 8;
const SPAN_ID = 16;
const PARENT_ID = 24;

/** TagType of the IDL, to our numbers; clients never send another one. */
const TAG_TYPES = [STRING, FLOAT64, BOOL, INT64, BINARY];

/** Bits of the fields that the IDL requires. */
const SPAN_REQUIRED = bits(1, 2, 3, 4, 5, 7, 8, 9);
const TAG_REQUIRED = bits(1, 2);
const LOG_REQUIRED = bits(1, 2);
const REFERENCE_REQUIRED = bits(1, 2, 3, 4);

const referenceIds = Buffer.alloc(24);

/** Reads a Batch at the reader's place. Throws ThriftError and JaegerProblem. */
export function readThriftBatch(reader: ThriftReader, builder: BatchBuilder): void {
  let seen = 0;
  builder.openResource();
  reader.enterStruct();
  while (reader.nextField()) {
    // Read now: what is within the field has fields of its own.
    const { fieldId } = reader;
    if (fieldId === 1) {
      reader.struct();
      readProcess(reader, builder);
    } else if (fieldId === 2) {
      for (let left = reader.list(STRUCT); left > 0; left--) readSpan(reader, builder);
    } else {
      reader.skip();
      continue;
    }
    if ((seen & (1 << fieldId)) !== 0) throw new JaegerProblem('a Batch has a field twice');
    seen |= 1 << fieldId;
  }
  require(seen, bits(1, 2), 'a Batch');
}

function readProcess(reader: ThriftReader, builder: BatchBuilder): void {
  let [nameStart, nameEnd, seen] = [0, 0, 0];
  const tag = builder.span.current;
  builder.beginProcess();
  while (reader.nextField()) {
    switch (reader.fieldId) {
      case 1:
        reader.binary();
        nameStart = reader.start;
        nameEnd = reader.end;
        seen |= bits(1);
        break;
      case 2:
        for (let left = reader.list(STRUCT); left > 0; left--) {
          readTag(reader, tag);
          builder.processTag(reader.bytes, tag);
        }
        break;
      default:
        reader.skip();
    }
  }
  require(seen, bits(1), 'a Process');
  builder.endProcess(reader.bytes, nameStart, nameEnd);
}

function readSpan(reader: ThriftReader, builder: BatchBuilder): void {
  const { span } = builder;
  let seen = 0;
  span.begin(reader.bytes);
  reader.enterStruct();
  while (reader.nextField()) {
    const { fieldId } = reader;
    switch (fieldId) {
      case 1:
        readId(reader, span.ids, TRACE_LOW);
        break;
      case 2:
        readId(reader, span.ids, TRACE_HIGH);
        break;
      case 3:
        readId(reader, span.ids, SPAN_ID);
        break;
      case 4:
        readId(reader, span.ids, PARENT_ID);
        break;
      case 5:
        reader.binary();
        span.nameStart = reader.start;
        span.nameEnd = reader.end;
        break;
      case 6:
        for (let left = reader.list(STRUCT); left > 0; left--) readReference(reader, span);
        break;
      case 7:
        span.flags(reader.i32());
        break;
      case 8:
        timeOfMicros(readMicros(reader));
        span.start();
        break;
      case 9:
        durationOfMicros(readMicros(reader));
        span.duration();
        break;
      case 10:
        for (let left = reader.list(STRUCT); left > 0; left--) {
          readTag(reader, span.current);
          span.tag();
        }
        break;
      case 11:
        for (let left = reader.list(STRUCT); left > 0; left--) readLog(reader, span);
        break;
      default:
        reader.skip();
        continue;
    }
    seen |= 1 << fieldId;
  }
  require(seen, SPAN_REQUIRED, 'a Span');
  span.finish(writeIds);
  builder.addSpan();
}

function writeIds(out: ProtoWriter, ids: Buffer): void {
  out.bytes(1, ids, TRACE_HIGH, SPAN_ID);
  out.bytes(2, ids, SPAN_ID, PARENT_ID);
}

function readReference(reader: ThriftReader, span: SpanBuilder): void {
  let seen = 0;
  let type = 0;
  reader.enterStruct();
  while (reader.nextField()) {
    const { fieldId } = reader;
    switch (fieldId) {
      case 1:
        type = reader.i32();
        break;
      case 2:
        readId(reader, referenceIds, TRACE_LOW);
        break;
      case 3:
        readId(reader, referenceIds, TRACE_HIGH);
        break;
      case 4:
        readId(reader, referenceIds, SPAN_ID);
        break;
      default:
        reader.skip();
        continue;
    }
    seen |= 1 << fieldId;
  }
  require(seen, REFERENCE_REQUIRED, 'a SpanRef');
  span.links.add(type, referenceIds);
}

function readLog(reader: ThriftReader, span: SpanBuilder): void {
  let seen = 0;
  let high = 0;
  let low = 0;
  span.beginLog();
  reader.enterStruct();
  while (reader.nextField()) {
    switch (reader.fieldId) {
      case 1:
        timeOfMicros(readMicros(reader));
        ({ high, low } = nanos);
        seen |= bits(1);
        break;
      case 2:
        for (let left = reader.list(STRUCT); left > 0; left--) {
          readTag(reader, span.current);
          span.field();
        }
        seen |= bits(2);
        break;
      default:
        reader.skip();
    }
  }
  require(seen, LOG_REQUIRED, 'a Log');
  span.endLog(high, low);
}

/** Fields come in any order: the value is whatever stands in the field that vType names. */
function readTag(reader: ThriftReader, tag: Tag): void {
  let seen = 0;
  let textStart = 0;
  let textEnd = 0;
  tag.clear();
  reader.enterStruct();
  while (reader.nextField()) {
    const { fieldId } = reader;
    switch (fieldId) {
      case 1:
        reader.binary();
        tag.keyStart = reader.start;
        tag.keyEnd = reader.end;
        break;
      case 2: {
        const type = TAG_TYPES[reader.i32()];
        if (type === undefined) throw new JaegerProblem('a Tag has a vType that is none of 0 to 4');
        tag.type = type;
        break;
      }
      case 3:
        reader.binary();
        textStart = reader.start;
        textEnd = reader.end;
        break;
      case 4:
        tag.double = reader.double();
        break;
      case 5:
        tag.bool = reader.bool();
        break;
      case 6:
        reader.i64();
        tag.high = reader.high;
        tag.low = reader.low;
        break;
      case 7:
        reader.binary();
        tag.start = reader.start;
        tag.end = reader.end;
        break;
      default:
        reader.skip();
        continue;
    }
    seen |= 1 << fieldId;
  }
  require(seen, TAG_REQUIRED, 'a Tag');
  if (tag.type !== STRING) return;
  tag.start = textStart;
  tag.end = textEnd;
}

function readId(reader: ThriftReader, ids: Buffer, at: number): void {
  reader.i64();
  const { high, low } = reader;
  ids[at] = high >>> 24;
  ids[at + 1] = high >>> 16;
  ids[at + 2] = high >>> 8;
  ids[at + 3] = high;
  ids[at + 4] = low >>> 24;
  ids[at + 5] = low >>> 16;
  ids[at + 6] = low >>> 8;
  ids[at + 7] = low;
}

function readMicros(reader: ThriftReader): number {
  reader.i64();
  return fromHalves(reader.high, reader.low);
}

function bits(...fieldIds: readonly number[]): number {
  return fieldIds.reduce((all, id) => all | (1 << id), 0);
}

function require(seen: number, required: number, what: string): void {
  const missing = required & ~seen;
  if (missing === 0) return;
  const field = 31 - Math.clz32(missing & -missing);
  throw new JaegerProblem(`${what} was expected to have its field ${field}, but it has not`);
}
