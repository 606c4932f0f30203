// What messages of a Kafka topic are written in, by the names that the Kafka exporters of the
// OpenTelemetry Collector and of Jaeger v2 have for it; and each of them as OTLP.
//
// What comes out is stored under rows version 1 (ingester/kafka/intent.ts): a change of it for bytes
// that were taken before is a new version.

import { REQUEST_BYTES_MAX } from '../limits.ts';
import { jsonSpanToOtlp } from './jaeger/json_span.ts';
import { spanToOtlp } from './jaeger/proto_batch.ts';
import { JsonProblem } from './otlp/json_scan.ts';
import { jsonToProto } from './otlp/json_to_proto.ts';
import { jsonV1ToOtlp } from './zipkin/json_v1.ts';
import { jsonV2ToOtlp } from './zipkin/json_v2.ts';
import { jsonVersion } from './zipkin/json_version.ts';
import { proto3ToOtlp } from './zipkin/proto3.ts';
import { thriftV1ToOtlp } from './zipkin/thrift_v1.ts';

export type Encoding =
  /** An ExportTraceServiceRequest. */
  | 'otlp_proto'
  | 'otlp_json'
  /** One span, its process in it. */
  | 'jaeger_proto'
  | 'jaeger_json'
  /** A list of spans, of version 1 or 2. */
  | 'zipkin_json'
  /** A ListOfSpans. */
  | 'zipkin_proto'
  /** A list of version 1, or one span of it, as old reporters wrote them. */
  | 'zipkin_thrift';

/**
 * The longest message of another encoding than OTLP's protobuf, which comes as it is: sixteen times
 * what brokers take by default. Translated, it is a few times as large at the worst.
 */
export const FOREIGN_BYTES_MAX = 16 * 1024 * 1024;

type Translated = { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false };

/**
 * ExportTraceServiceRequest bytes, none where the message has no span; undefined for what cannot be
 * decoded. `nowMicros` (Unix) is given to spans without any time.
 */
export function toOtlp(
  encoding: Encoding,
  bytes: Uint8Array,
  nowMicros: number,
): Uint8Array | undefined {
  const translated = TRANSLATORS[encoding](bytes, nowMicros);
  return translated.ok ? translated.bytes : undefined;
}

export function isEncoding(name: unknown): name is Encoding {
  return typeof name === 'string' && Object.hasOwn(TRANSLATORS, name);
}

/** Brave sends empty messages when there is nothing to send. */
export function isEmptyTaken(encoding: Encoding): boolean {
  return encoding.startsWith('zipkin_');
}

const TRANSLATORS: Readonly<
  Record<Encoding, (bytes: Uint8Array, nowMicros: number) => Translated>
> = {
  otlp_proto: (bytes) => ({ ok: true, bytes }),
  otlp_json: (bytes) => jsonToProto(bytes),
  jaeger_proto: (bytes) => spanToOtlp(bytes, REQUEST_BYTES_MAX),
  jaeger_json: (bytes) => jsonSpanToOtlp(bytes, REQUEST_BYTES_MAX),
  zipkin_json: zipkinJson,
  zipkin_proto: proto3ToOtlp,
  zipkin_thrift: zipkinThrift,
};

function zipkinJson(bytes: Uint8Array, nowMicros: number): Translated {
  try {
    const decode = jsonVersion(bytes) === 1 ? jsonV1ToOtlp : jsonV2ToOtlp;
    return decode(bytes, nowMicros);
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    return { ok: false };
  }
}

/** A Thrift list begins with the type of its elements, a structure with the type of a field. */
const STRUCT_TYPE = 0x0c;
const I64_TYPE = 0x0a;
const LIST_OF_ONE = [STRUCT_TYPE, 0, 0, 0, 1];

function zipkinThrift(bytes: Uint8Array, nowMicros: number): Translated {
  if (bytes[0] !== I64_TYPE) return thriftV1ToOtlp(bytes, nowMicros);
  const list = new Uint8Array(LIST_OF_ONE.length + bytes.length);
  list.set(LIST_OF_ONE);
  list.set(bytes, LIST_OF_ONE.length);
  return thriftV1ToOtlp(list, nowMicros);
}
