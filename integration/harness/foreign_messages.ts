// Kafka messages as other people's producers write them, one span each: in every encoding that a
// foreign topic may have. By encoders of our own that share nothing with what is tested.
import protobuf from 'protobufjs';
import { encodeRequest } from './otlp.ts';

export interface ForeignSpan {
  readonly service: string;
  /** 32 and 16 hex digits. */
  readonly traceId: string;
  readonly spanId: string;
  readonly name: string;
}

/** By encoding; where an encoding has two forms, a name for each, with the encoding before a dot. */
export const FOREIGN_FORMS: Readonly<Record<string, (span: ForeignSpan) => Buffer>> = {
  otlp_proto: (span) => Buffer.from(otlp(span)),
  otlp_json: otlpJson,
  jaeger_proto: jaegerProto,
  jaeger_json: jaegerJson,
  'zipkin_json.v1': zipkinV1Json,
  'zipkin_json.v2': zipkinV2Json,
  zipkin_proto: zipkinProto,
  'zipkin_thrift.list': (span) => Buffer.concat([THRIFT_LIST_OF_ONE, thriftSpan(span)]),
  'zipkin_thrift.single': thriftSpan,
};

const DURATION_MICROS = 1500;

function nowMicros(): number {
  return Date.now() * 1000;
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function otlp({ service, traceId, spanId, name }: ForeignSpan): Uint8Array {
  return encodeRequest(service, [{ traceId: bytes(traceId), spanId: bytes(spanId), name }]);
}

function otlpJson({ service, traceId, spanId, name }: ForeignSpan): Buffer {
  const startTimeUnixNano = `${nowMicros()}000`;
  const endTimeUnixNano = `${nowMicros() + DURATION_MICROS}000`;
  const span = { traceId, spanId, name, kind: 2, startTimeUnixNano, endTimeUnixNano };
  const attributes = [{ key: 'service.name', value: { stringValue: service } }];
  return json({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [span] }] }] });
}

function jaegerJson({ service, traceId, spanId, name }: ForeignSpan): Buffer {
  return json({
    traceId: bytes(traceId).toString('base64'),
    spanId: bytes(spanId).toString('base64'),
    operationName: name,
    flags: 1,
    startTime: new Date().toISOString(),
    duration: '0.001500s',
    tags: [
      { key: 'span.kind', vStr: 'server' },
      { key: 'n', vType: 'INT64', vInt64: '9007199254740993' },
    ],
    process: { serviceName: service },
  });
}

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Span {
    bytes trace_id = 1; bytes span_id = 2; string operation_name = 3;
    Seconds start_time = 6; Seconds duration = 7; Process process = 10;
  }
  message Seconds { int64 seconds = 1; int32 nanos = 2; }
  message Process { string service_name = 1; }
  message Zipkin { repeated ZipkinSpan spans = 1; }
  message ZipkinSpan {
    bytes trace_id = 1; bytes id = 3; string name = 5; fixed64 timestamp = 6; uint64 duration = 7;
    Endpoint local_endpoint = 8;
  }
  message Endpoint { string service_name = 1; }
`);

function encode(type: string, value: object): Buffer {
  const found = root.lookupType(type);
  return Buffer.from(found.encode(found.fromObject(value)).finish());
}

function jaegerProto({ service, traceId, spanId, name }: ForeignSpan): Buffer {
  return encode('Span', {
    traceId: bytes(traceId),
    spanId: bytes(spanId),
    operationName: name,
    startTime: { seconds: Math.floor(Date.now() / 1000), nanos: 1000 },
    duration: { nanos: DURATION_MICROS * 1000 },
    process: { serviceName: service },
  });
}

function zipkinProto({ service, traceId, spanId, name }: ForeignSpan): Buffer {
  const localEndpoint = { serviceName: service };
  const ids = { traceId: bytes(traceId), id: bytes(spanId) };
  const span = { ...ids, name, timestamp: nowMicros(), duration: DURATION_MICROS, localEndpoint };
  return encode('Zipkin', { spans: [span] });
}

function zipkinV2Json({ service, traceId, spanId: id, name }: ForeignSpan): Buffer {
  const localEndpoint = { serviceName: service };
  const timestamp = nowMicros();
  return json([{ traceId, id, name, kind: 'SERVER', timestamp, duration: 1500, localEndpoint }]);
}

function zipkinV1Json({ service, traceId, spanId: id, name }: ForeignSpan): Buffer {
  const endpoint = { serviceName: service, ipv4: '127.0.0.1' };
  const timestamp = nowMicros();
  const annotations = [
    { timestamp, value: 'sr', endpoint },
    { timestamp: timestamp + DURATION_MICROS, value: 'ss', endpoint },
  ];
  return json([{ traceId, id, name, timestamp, duration: DURATION_MICROS, annotations }]);
}

/** A list of structures, and how many. */
const THRIFT_LIST_OF_ONE = Buffer.from([0x0c, 0, 0, 0, 1]);

/** A Span structure in the binary protocol; its annotation tells the service. */
function thriftSpan({ service, traceId, spanId, name }: ForeignSpan): Buffer {
  const endpoint = [i32(1, 0x7f000001), i16(2, 0), text(3, service), STOP];
  const micros = BigInt(nowMicros());
  const annotation = [i64(1, micros), text(2, 'sr'), field(0x0c, 3), ...endpoint, STOP];
  return Buffer.concat([
    i64(1, BigInt(`0x${traceId.slice(16)}`)),
    text(3, name),
    i64(4, BigInt(`0x${spanId}`)),
    Buffer.concat([field(0x0f, 6), THRIFT_LIST_OF_ONE, ...annotation]),
    i64(10, micros),
    i64(11, BigInt(DURATION_MICROS)),
    i64(12, BigInt(`0x${traceId.slice(0, 16)}`)),
    STOP,
  ]);
}

const STOP = Buffer.from([0]);

function field(type: number, id: number): Buffer {
  return Buffer.from([type, 0, id]);
}

function i16(id: number, value: number): Buffer {
  const number = Buffer.alloc(2);
  number.writeInt16BE(value);
  return Buffer.concat([field(0x06, id), number]);
}

function i32(id: number, value: number): Buffer {
  const number = Buffer.alloc(4);
  number.writeInt32BE(value);
  return Buffer.concat([field(0x08, id), number]);
}

function i64(id: number, value: bigint): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigInt64BE(BigInt.asIntN(64, value));
  return Buffer.concat([field(0x0a, id), number]);
}

function text(id: number, value: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(Buffer.byteLength(value));
  return Buffer.concat([field(0x0b, id), length, Buffer.from(value)]);
}
