// A Jaeger batch as plain objects, and its two wire forms by encoders that share nothing with ours.

import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import {
  encodeValue,
  type Protocol,
  type ThriftField,
  type ThriftValue,
} from '../../thrift/testing/thrift_encoder.ts';

export type PlainValue =
  | readonly ['string', string]
  | readonly ['bool', boolean]
  | readonly ['int', bigint]
  | readonly ['double', number]
  | readonly ['binary', string];

export interface PlainTag {
  readonly key: string;
  readonly value: PlainValue;
}

export interface PlainReference {
  readonly type: 'child_of' | 'follows_from';
  /** 32 and 16 hex digits. */
  readonly traceId: string;
  readonly spanId: string;
}

export interface PlainLog {
  readonly micros: bigint;
  readonly fields: readonly PlainTag[];
}

export interface PlainSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Thrift only; '' is none. */
  readonly parentId: string;
  readonly name: string;
  readonly references: readonly PlainReference[];
  readonly flags: number;
  readonly startMicros: bigint;
  readonly durationMicros: bigint;
  readonly tags: readonly PlainTag[];
  readonly logs: readonly PlainLog[];
}

export interface PlainBatch {
  readonly service: string;
  readonly processTags: readonly PlainTag[];
  readonly spans: readonly PlainSpan[];
}

export function batchValue(batch: PlainBatch): ThriftValue & { type: 'struct' } {
  const process: ThriftField[] = [
    [1, text(batch.service)],
    [2, structs(batch.processTags.map(tagFields))],
  ];
  return {
    type: 'struct',
    fields: [
      [1, { type: 'struct', fields: process }],
      [2, structs(batch.spans.map(spanFields))],
    ],
  };
}

export function encodeThriftBatch(batch: PlainBatch, protocol: Protocol): Buffer {
  return encodeValue(batchValue(batch), protocol);
}

function spanFields(span: PlainSpan): ThriftField[] {
  return [
    [1, id(span.traceId.slice(16))],
    [2, id(span.traceId.slice(0, 16))],
    [3, id(span.spanId)],
    [4, id(span.parentId === '' ? '0' : span.parentId)],
    [5, text(span.name)],
    [6, structs(span.references.map(referenceFields))],
    [7, { type: 'i32', value: span.flags }],
    [8, { type: 'i64', value: span.startMicros }],
    [9, { type: 'i64', value: span.durationMicros }],
    [10, structs(span.tags.map(tagFields))],
    [11, structs(span.logs.map(logFields))],
  ];
}

function referenceFields(reference: PlainReference): ThriftField[] {
  return [
    [1, { type: 'i32', value: reference.type === 'child_of' ? 0 : 1 }],
    [2, id(reference.traceId.slice(16))],
    [3, id(reference.traceId.slice(0, 16))],
    [4, id(reference.spanId)],
  ];
}

function logFields(log: PlainLog): ThriftField[] {
  return [
    [1, { type: 'i64', value: log.micros }],
    [2, structs(log.fields.map(tagFields))],
  ];
}

const THRIFT_TYPES = { string: 0, double: 1, bool: 2, int: 3, binary: 4 } as const;

function tagFields({ key, value }: PlainTag): ThriftField[] {
  return [[1, text(key)], [2, { type: 'i32', value: THRIFT_TYPES[value[0]] }], thriftValue(value)];
}

function thriftValue(value: PlainValue): ThriftField {
  switch (value[0]) {
    case 'string':
      return [3, text(value[1])];
    case 'double':
      return [4, { type: 'double', value: value[1] }];
    case 'bool':
      return [5, { type: 'bool', value: value[1] }];
    case 'int':
      return [6, { type: 'i64', value: value[1] }];
    case 'binary':
      return [7, { type: 'string', value: Buffer.from(value[1], 'base64') }];
  }
}

function text(value: string): ThriftValue {
  return { type: 'string', value };
}

function id(hex: string): ThriftValue {
  return { type: 'i64', value: BigInt.asIntN(64, BigInt(`0x${hex}`)) };
}

function structs(all: readonly (readonly ThriftField[])[]): ThriftValue {
  const values = all.map((fields) => ({ type: 'struct' as const, fields }));
  return { type: 'list', element: 'struct', values };
}

const PROTO = fileURLToPath(new URL('../../../../proto/', import.meta.url));

function load(file: string): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) =>
    target.startsWith('google/protobuf/') ? target : PROTO + target;
  // protobufjs has Duration and Timestamp within.
  return root.loadSync(file);
}

export const PostSpansType = load('jaeger/api_v2/collector.proto').lookupType(
  'jaeger.api_v2.PostSpansRequest',
);

export function encodePostSpans(batch: PlainBatch): Uint8Array {
  const plain = {
    batch: {
      spans: batch.spans.map(protoSpan),
      process: { serviceName: batch.service, tags: batch.processTags.map(protoTag) },
    },
  };
  return PostSpansType.encode(PostSpansType.fromObject(plain)).finish();
}

const SpanType = PostSpansType.root.lookupType('jaeger.api_v2.Span');

/** Each span by itself, with the process in it. */
export function encodeProtoSpans(batch: PlainBatch): Uint8Array[] {
  const process = { serviceName: batch.service, tags: batch.processTags.map(protoTag) };
  return batch.spans.map((span) =>
    SpanType.encode(SpanType.fromObject({ ...protoSpan(span), process })).finish(),
  );
}

function protoSpan(span: PlainSpan): object {
  return {
    traceId: bytes(span.traceId),
    spanId: bytes(span.spanId),
    operationName: span.name,
    references: span.references.map((reference) => ({
      traceId: bytes(reference.traceId),
      spanId: bytes(reference.spanId),
      refType: reference.type === 'child_of' ? 0 : 1,
    })),
    flags: span.flags,
    startTime: secondsAndNanos(span.startMicros),
    duration: secondsAndNanos(span.durationMicros),
    tags: span.tags.map(protoTag),
    logs: span.logs.map((log) => ({
      timestamp: secondsAndNanos(log.micros),
      fields: log.fields.map(protoTag),
    })),
  };
}

function protoTag({ key, value }: PlainTag): object {
  switch (value[0]) {
    case 'string':
      return { key, vType: 0, vStr: value[1] };
    case 'bool':
      return { key, vType: 1, vBool: value[1] };
    case 'int':
      return { key, vType: 2, vInt64: String(value[1]) };
    case 'double':
      return { key, vType: 3, vFloat64: value[1] };
    case 'binary':
      return { key, vType: 4, vBinary: value[1] };
  }
}

function secondsAndNanos(micros: bigint): object {
  return { seconds: String(micros / 1_000_000n), nanos: Number(micros % 1_000_000n) * 1000 };
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}
