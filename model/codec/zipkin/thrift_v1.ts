// Zipkin v1 Thrift (zipkinCore.thrift, binary protocol) to OTLP bytes: a list of spans that stands
// for itself, or the structures one by one, as Jaeger's agent gets them.
//
//   body             = 0x0c count:i32 Span*        (0x0b is taken too: an old reporter wrote it)
//   Span             = { 1 trace_id:i64, 3 name, 4 id:i64, 5 parent_id:i64, 6 [Annotation],
//                        8 [BinaryAnnotation], 9 debug:bool, 10 timestamp:i64, 11 duration:i64,
//                        12 trace_id_high:i64 }
//   Annotation       = { 1 timestamp:i64, 2 value, 3 host:Endpoint }
//   BinaryAnnotation = { 1 key, 2 value, 3 annotation_type:i32, 4 host:Endpoint }
//   Endpoint         = { 1 ipv4:i32, 2 port:i16, 3 service_name, 4 ipv6 }

import { BinaryReader } from '../thrift/binary_reader.ts';
import { STRUCT, ThriftError, type ThriftReader } from '../thrift/thrift_reader.ts';
import { type Decoded, decoded, ZipkinProblem } from './decoded.ts';
import { ipv6Text } from './ip_text.ts';
import { MICROS_MAX } from './span_draft.ts';
import { V1Batch } from './v1_batch.ts';
import type { Endpoint, V1Annotation, V1BinaryAnnotation, V1Span } from './v1_span.ts';

const HEADER_BYTES = 5;
const TYPE_BOOL = 0;
const TYPE_STRING = 6;

/** `nowMicros` (Unix) is given to spans without any time. */
export function thriftV1ToOtlp(bytes: Uint8Array, nowMicros: number): Decoded {
  return decoded('TBinary', () => {
    const batch = new V1Batch(nowMicros, bytes.length);
    if (bytes.length === 0) return batch.finish();
    try {
      readList(bytes, batch);
    } catch (error) {
      if (!(error instanceof ThriftError)) throw error;
      throw new ZipkinProblem(`Malformed: ${error.message}`);
    }
    return batch.finish();
  });
}

function readList(bytes: Uint8Array, batch: V1Batch): void {
  if (bytes.length < HEADER_BYTES || (bytes[0] !== STRUCT && bytes[0] !== STRUCT - 1)) {
    throw new ZipkinProblem('Malformed: a list of structures was expected');
  }
  const count = new DataView(bytes.buffer, bytes.byteOffset).getInt32(1);
  const reader = new BinaryReader(bytes, HEADER_BYTES);
  // Each takes a byte at the least, so a size that is no more than a claim ends soon.
  if (count < 0 || count > bytes.length - HEADER_BYTES) {
    throw new ZipkinProblem(
      `Truncated: ${count} spans > bytes available ${bytes.length - HEADER_BYTES}`,
    );
  }
  for (let left = count; left > 0; left--) batch.add(readV1Span(reader));
}

/** One Span structure. Throws ThriftError. */
export function readV1Span(reader: ThriftReader): V1Span {
  let [high, low, id, parentId, name] = ['', '', '', '', ''];
  let [timestamp, duration, debug] = [0, 0, false];
  const annotations: V1Annotation[] = [];
  const binaryAnnotations: V1BinaryAnnotation[] = [];
  reader.enterStruct();
  while (reader.nextField()) {
    switch (reader.fieldId) {
      case 1:
        low = id64(reader);
        break;
      case 3:
        name = text(reader);
        break;
      case 4:
        id = id64(reader);
        break;
      case 5:
        parentId = id64(reader);
        break;
      case 6:
        for (let left = reader.list(STRUCT); left > 0; left--) {
          const annotation = readAnnotation(reader);
          if (annotation !== undefined) annotations.push(annotation);
        }
        break;
      case 8:
        for (let left = reader.list(STRUCT); left > 0; left--) {
          const annotation = readBinaryAnnotation(reader);
          if (annotation !== undefined) binaryAnnotations.push(annotation);
        }
        break;
      case 9:
        debug = reader.bool();
        break;
      case 10:
        timestamp = micros64(reader);
        break;
      case 11:
        duration = micros64(reader);
        break;
      case 12:
        high = id64(reader);
        break;
      default:
        reader.skip();
    }
  }
  const root = parentId === '' || parentId === ZERO || parentId === id;
  return {
    traceId: high === ZERO ? low : high + low,
    id,
    ...(root ? {} : { parentId }),
    ...(name === '' ? {} : { name }),
    timestamp,
    duration,
    debug,
    annotations,
    binaryAnnotations,
  };
}

/** One without a time or value is dropped, as by Zipkin. */
function readAnnotation(reader: ThriftReader): V1Annotation | undefined {
  let timestamp = 0;
  let value: string | undefined;
  let endpoint: Endpoint | undefined;
  reader.enterStruct();
  while (reader.nextField()) {
    if (reader.fieldId === 1) timestamp = micros64(reader);
    else if (reader.fieldId === 2) value = text(reader);
    else if (reader.fieldId === 3) endpoint = readEndpoint(reader);
    else reader.skip();
  }
  return timestamp === 0 || value === undefined ? undefined : { timestamp, value, endpoint };
}

/** Strings and addresses only: v2 has no other tags. */
function readBinaryAnnotation(reader: ThriftReader): V1BinaryAnnotation | undefined {
  let key: string | undefined;
  let type = -1;
  let value = '';
  let endpoint: Endpoint | undefined;
  reader.enterStruct();
  while (reader.nextField()) {
    if (reader.fieldId === 1) key = text(reader);
    else if (reader.fieldId === 2) value = text(reader);
    else if (reader.fieldId === 3) type = reader.i32();
    else if (reader.fieldId === 4) endpoint = readEndpoint(reader);
    else reader.skip();
  }
  if (key === undefined) return undefined;
  if (type === TYPE_STRING) return { key, value, endpoint };
  return type === TYPE_BOOL && value === '\u0001' ? { key, value: true, endpoint } : undefined;
}

function readEndpoint(reader: ThriftReader): Endpoint | undefined {
  const endpoint: { serviceName?: string; ipv4?: string; ipv6?: string; port?: number } = {};
  reader.struct();
  while (reader.nextField()) {
    if (reader.fieldId === 1) {
      const ip = reader.i32();
      if (ip !== 0)
        endpoint.ipv4 = `${ip >>> 24}.${(ip >> 16) & 255}.${(ip >> 8) & 255}.${ip & 255}`;
    } else if (reader.fieldId === 2) {
      const port = reader.i16() & 0xffff;
      if (port !== 0) endpoint.port = port;
    } else if (reader.fieldId === 3) {
      const name = text(reader);
      if (name !== '') endpoint.serviceName = name;
    } else if (reader.fieldId === 4) {
      reader.binary();
      const ip = reader.bytes.subarray(reader.start, reader.end);
      if (ip.length === 16) Object.assign(endpoint, ipv6Text(ip));
    } else reader.skip();
  }
  return Object.keys(endpoint).length === 0 ? undefined : endpoint;
}

const ZERO = '0000000000000000';

function id64(reader: ThriftReader): string {
  reader.i64();
  return hex8(reader.high) + hex8(reader.low);
}

function hex8(half: number): string {
  return (half >>> 0).toString(16).padStart(8, '0');
}

/** Negative: absent. */
function micros64(reader: ThriftReader): number {
  reader.i64();
  if (reader.high < 0) return 0;
  return Math.min(reader.high * 2 ** 32 + (reader.low >>> 0), MICROS_MAX);
}

function text(reader: ThriftReader): string {
  reader.binary();
  const { buffer, byteOffset } = reader.bytes;
  return Buffer.from(buffer, byteOffset + reader.start, reader.end - reader.start).toString('utf8');
}
