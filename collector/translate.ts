// Foreign formats to OTLP bytes: one table, used on the event loop and in the thread beside it.

import { jsonToProto } from '../model/codec/otlp/json_to_proto.ts';
import { jsonV1ToOtlp } from '../model/codec/zipkin/json_v1.ts';
import { jsonV2ToOtlp } from '../model/codec/zipkin/json_v2.ts';
import { proto3ToOtlp } from '../model/codec/zipkin/proto3.ts';
import { thriftV1ToOtlp } from '../model/codec/zipkin/thrift_v1.ts';

export type Format =
  | 'otlp_json'
  | 'zipkin_json_v1'
  | 'zipkin_json_v2'
  | 'zipkin_proto3'
  | 'zipkin_thrift';

export type Translation =
  /** ExportTraceServiceRequest bytes, at the start of a buffer of their own. */
  | { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer> }
  /** `message` is a sentence for the sender. */
  | { readonly ok: false; readonly message: string };

type Translate = (bytes: Uint8Array, nowMicros: number) => Translation;

const TRANSLATORS: Readonly<Record<Format, Translate>> = {
  otlp_json: jsonToProto,
  zipkin_json_v1: jsonV1ToOtlp,
  zipkin_json_v2: jsonV2ToOtlp,
  zipkin_proto3: proto3ToOtlp,
  zipkin_thrift: thriftV1ToOtlp,
};

/** `nowMicros` (Unix) is given to spans without any time, where the format lets them be. */
export function translate(format: Format, bytes: Uint8Array, nowMicros: number): Translation {
  return TRANSLATORS[format](bytes, nowMicros);
}
