// One Jaeger span as the JSON of its protobuf (model.proto by ProtoJSON), process and all: a message
// of a `jaeger_json` Kafka topic. Ids and binary tags are base64, times RFC 3339, enums names.
//
// Written as protobuf first and read as that then: few use this form, and there is one set of rules.

import { child, field, type MessageType, message } from '../otlp/json_schema.ts';
import { jsonToMessage } from '../otlp/json_to_proto.ts';
import type { Decoded } from './problem.ts';
import { spanToOtlp } from './proto_batch.ts';

/** The result has no more than `bytesMax` bytes. */
export function jsonSpanToOtlp(json: Uint8Array, bytesMax: number): Decoded {
  const proto = jsonToMessage(json, SPAN);
  if (!proto.ok) return { ok: false, tooLarge: false, message: proto.message };
  return spanToOtlp(proto.bytes, bytesMax);
}

const VALUE_TYPES: ReadonlyMap<string, number> = new Map([
  ['STRING', 0],
  ['BOOL', 1],
  ['INT64', 2],
  ['FLOAT64', 3],
  ['BINARY', 4],
]);

const REFERENCE_TYPES: ReadonlyMap<string, number> = new Map([
  ['CHILD_OF', 0],
  ['FOLLOWS_FROM', 1],
]);

const many = { repeated: true };

/** ProtoJSON takes a field by the name in its .proto file, too. */
function either(to: MessageType, number: number, key: string, ...rest: FieldRest): void {
  field(to, number, key, ...rest);
  const original = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  if (original !== key) field(to, number, original, ...rest);
}

type FieldRest =
  Parameters<typeof field> extends [unknown, unknown, unknown, ...infer Rest] ? Rest : never;

const SPAN = message();
const reference = message();
const keyValue = message();
const log = message();
const process = message();

either(SPAN, 1, 'traceId', 'bytes');
either(SPAN, 2, 'spanId', 'bytes');
either(SPAN, 3, 'operationName', 'string');
child(SPAN, 4, 'references', reference, many);
field(SPAN, 5, 'flags', 'uint32');
either(SPAN, 6, 'startTime', 'time');
field(SPAN, 7, 'duration', 'duration');
child(SPAN, 8, 'tags', keyValue, many);
child(SPAN, 9, 'logs', log, many);
child(SPAN, 10, 'process', process);
field(SPAN, 12, 'warnings', 'string', many);

either(reference, 1, 'traceId', 'bytes');
either(reference, 2, 'spanId', 'bytes');
either(reference, 3, 'refType', 'enum', { names: REFERENCE_TYPES });

field(keyValue, 1, 'key', 'string');
either(keyValue, 2, 'vType', 'enum', { names: VALUE_TYPES });
either(keyValue, 3, 'vStr', 'string');
either(keyValue, 4, 'vBool', 'bool');
either(keyValue, 5, 'vInt64', 'int64');
either(keyValue, 6, 'vFloat64', 'double');
either(keyValue, 7, 'vBinary', 'bytes');

field(log, 1, 'timestamp', 'time');
child(log, 2, 'fields', keyValue, many);

either(process, 1, 'serviceName', 'string');
child(process, 2, 'tags', keyValue, many);
