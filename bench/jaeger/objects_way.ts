// The usual way: bytes to objects, objects of one kind to those of another, objects to bytes. The
// Thrift half uses our own reader, which favours it.

import path from 'node:path';
import protobuf from 'protobufjs';
import { CompactReader } from '../../model/codec/thrift/compact_reader.ts';
import * as thrift from '../../model/codec/thrift/thrift_reader.ts';

const PROTO_FOLDER = path.join(import.meta.dirname, '..', '..', 'proto');

function load(file: string): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) =>
    target.startsWith('google/protobuf/') ? target : path.join(PROTO_FOLDER, target);
  return root.loadSync(file);
}

const PostSpans = load('jaeger/api_v2/collector.proto').lookupType(
  'jaeger.api_v2.PostSpansRequest',
);
const Export = load('opentelemetry/proto/collector/trace/v1/trace_service.proto').lookupType(
  'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest',
);

interface LongLike {
  toString(): string;
}

interface JaegerTag {
  readonly key: string;
  readonly vType: number;
  readonly vStr: string;
  readonly vBool: boolean;
  readonly vInt64: LongLike;
  readonly vFloat64: number;
  readonly vBinary: Uint8Array;
}

interface JaegerSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly operationName: string;
  readonly references: readonly { readonly spanId: Uint8Array }[];
  readonly flags: number;
  readonly startNanos: bigint;
  readonly durationNanos: bigint;
  readonly tags: readonly JaegerTag[];
  readonly logs: readonly { readonly nanos: bigint; readonly fields: readonly JaegerTag[] }[];
}

interface SecondsAndNanos {
  readonly seconds: LongLike;
  readonly nanos: number;
}

interface RawSpan extends Omit<JaegerSpan, 'startNanos' | 'durationNanos' | 'logs'> {
  readonly startTime: SecondsAndNanos;
  readonly duration: SecondsAndNanos;
  readonly logs: readonly { readonly timestamp: SecondsAndNanos; readonly fields: JaegerTag[] }[];
}

export function protoByObjects(bytes: Uint8Array): Uint8Array {
  const { batch } = PostSpans.decode(bytes) as unknown as {
    batch: { spans: RawSpan[]; process: { serviceName: string; tags: JaegerTag[] } };
  };
  const spans = batch.spans.map((span) => ({
    ...span,
    startNanos: nanosOf(span.startTime),
    durationNanos: nanosOf(span.duration),
    logs: span.logs.map(({ timestamp, fields }) => ({ nanos: nanosOf(timestamp), fields })),
  }));
  return encode(batch.process.serviceName, batch.process.tags, spans);
}

function nanosOf({ seconds, nanos }: SecondsAndNanos): bigint {
  return BigInt(seconds.toString()) * 1_000_000_000n + BigInt(nanos);
}

type Struct = Readonly<Record<number, unknown>>;

export function compactByObjects(bytes: Uint8Array): Uint8Array {
  return batchByObjects(structOf(new CompactReader(bytes)));
}

/** A datagram: emitBatch(1: Batch). */
export function messageByObjects(bytes: Uint8Array): Uint8Array {
  const reader = new CompactReader(bytes);
  reader.message();
  return batchByObjects(structOf(reader)[1] as Struct);
}

function batchByObjects(batch: Struct): Uint8Array {
  const process = batch[1] as Struct;
  const spans = (batch[2] as Struct[]).map((span) => ({
    traceId: id(span[2] as bigint, span[1] as bigint),
    spanId: id(span[3] as bigint),
    operationName: String(span[5]),
    references: [{ spanId: id(span[4] as bigint) }],
    flags: span[7] as number,
    startNanos: (span[8] as bigint) * 1000n,
    durationNanos: (span[9] as bigint) * 1000n,
    tags: (span[10] as Struct[]).map(tagOf),
    logs: (span[11] as Struct[]).map((log) => ({
      nanos: (log[1] as bigint) * 1000n,
      fields: (log[2] as Struct[]).map(tagOf),
    })),
  }));
  return encode(String(process[1]), (process[2] as Struct[]).map(tagOf), spans);
}

/** TagType of Thrift, as protobuf has it. */
const TYPES = [0, 3, 1, 2, 4];

function tagOf(tag: Struct): JaegerTag {
  return {
    key: String(tag[1]),
    vType: TYPES[tag[2] as number] ?? 0,
    vStr: String(tag[3] ?? ''),
    vFloat64: Number(tag[4] ?? 0),
    vBool: Boolean(tag[5]),
    vInt64: (tag[6] ?? 0n) as bigint,
    vBinary: new Uint8Array(0),
  };
}

function id(...parts: readonly bigint[]): Uint8Array {
  const bytes = Buffer.alloc(parts.length * 8);
  for (const [i, part] of parts.entries()) bytes.writeBigInt64BE(part, i * 8);
  return bytes;
}

function structOf(reader: CompactReader): Struct {
  const struct: Record<number, unknown> = {};
  reader.enterStruct();
  while (reader.nextField()) {
    const { fieldId } = reader;
    struct[fieldId] = valueOfField(reader);
  }
  return struct;
}

function valueOfField(reader: CompactReader): unknown {
  switch (reader.fieldType) {
    case thrift.BOOL:
      return reader.bool();
    case thrift.I32:
      return reader.i32();
    case thrift.I64:
      reader.i64();
      return (BigInt(reader.high) << 32n) | BigInt(reader.low >>> 0);
    case thrift.DOUBLE:
      return reader.double();
    case thrift.STRING:
      reader.binary();
      return Buffer.from(reader.bytes.subarray(reader.start, reader.end)).toString();
    case thrift.STRUCT:
      return structOf(reader);
    case thrift.LIST:
      return Array.from({ length: reader.list(thrift.STRUCT) }, () => structOf(reader));
    default:
      reader.skip();
      return undefined;
  }
}

function encode(
  service: string,
  tags: readonly JaegerTag[],
  spans: readonly JaegerSpan[],
): Uint8Array {
  const name = { key: 'service.name', value: { stringValue: service } };
  const resource = { attributes: [name, ...tags.map(attributeOf)] };
  const scopeSpans = [{ spans: spans.map(spanOf) }];
  return Export.encode(Export.fromObject({ resourceSpans: [{ resource, scopeSpans }] })).finish();
}

function spanOf(span: JaegerSpan): object {
  const attributes = span.tags.filter(({ key }) => key !== 'span.kind').map(attributeOf);
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.references[0]?.spanId,
    name: span.operationName,
    kind: 2,
    startTimeUnixNano: String(span.startNanos),
    endTimeUnixNano: String(span.startNanos + span.durationNanos),
    attributes,
    events: span.logs.map(({ nanos, fields }) => ({
      timeUnixNano: String(nanos),
      attributes: fields.map(attributeOf),
    })),
    flags: span.flags,
  };
}

function attributeOf(tag: JaegerTag): object {
  const { key } = tag;
  switch (tag.vType) {
    case 1:
      return { key, value: { boolValue: tag.vBool } };
    case 2:
      return { key, value: { intValue: tag.vInt64.toString() } };
    case 3:
      return { key, value: { doubleValue: tag.vFloat64 } };
    case 4:
      return { key, value: { bytesValue: tag.vBinary } };
    default:
      return { key, value: { stringValue: tag.vStr } };
  }
}
