// The trace messages of OTLP 1.11 as JSON names them: which key is which field, and how its value
// is written in JSON. Numbers from proto/opentelemetry. Other messages are described by the same
// words (jaeger/json_span.ts).

export type FieldKind =
  | 'string'
  | 'bytes' // base64
  | 'id' // hex, in either case: OTLP's own rule for trace and span ids
  | 'bool'
  | 'int64'
  | 'fixed64'
  | 'uint32'
  | 'fixed32'
  | 'enum' // by number; OTLP/JSON does not take names, which `names` has for others
  | 'double'
  | 'time' // google.protobuf.Timestamp: RFC 3339
  | 'duration' // google.protobuf.Duration: decimal seconds, then "s"
  | 'message';

export interface Field {
  readonly key: string;
  readonly number: number;
  readonly kind: FieldKind;
  readonly repeated: boolean;
  /** Part of a oneof: written also when zero or empty. */
  readonly presence: boolean;
  readonly message: MessageType | undefined;
  /** Names that an enum's numbers have in JSON. */
  readonly names: ReadonlyMap<string, number> | undefined;
}

export interface MessageType {
  /** Fields by the length of their key, so that looking one up compares a candidate or two. */
  readonly byKeyLength: Field[][];
}

export function message(): MessageType {
  return { byKeyLength: [] };
}

interface Extra {
  readonly repeated?: boolean;
  readonly presence?: boolean;
  readonly message?: MessageType;
  readonly names?: ReadonlyMap<string, number>;
}

export function field(
  to: MessageType,
  number: number,
  key: string,
  kind: FieldKind,
  extra: Extra = {},
): void {
  const { repeated = false, presence = false } = extra;
  const list = to.byKeyLength[key.length] ?? [];
  list.push({ key, number, kind, repeated, presence, message: extra.message, names: extra.names });
  to.byKeyLength[key.length] = list;
}

export function child(
  to: MessageType,
  number: number,
  key: string,
  type: MessageType,
  extra?: Extra,
): void {
  field(to, number, key, 'message', { ...extra, message: type });
}

export const REQUEST = message();
export const ANY_VALUE = message();
const resourceSpans = message();
const resource = message();
const entityRef = message();
const scopeSpans = message();
const scope = message();
const span = message();
const event = message();
const link = message();
const status = message();
const keyValue = message();
const arrayValue = message();
const keyValueList = message();

child(REQUEST, 1, 'resourceSpans', resourceSpans, { repeated: true });

child(resourceSpans, 1, 'resource', resource);
child(resourceSpans, 2, 'scopeSpans', scopeSpans, { repeated: true });
field(resourceSpans, 3, 'schemaUrl', 'string');

child(resource, 1, 'attributes', keyValue, { repeated: true });
field(resource, 2, 'droppedAttributesCount', 'uint32');
child(resource, 3, 'entityRefs', entityRef, { repeated: true });

field(entityRef, 1, 'schemaUrl', 'string');
field(entityRef, 2, 'type', 'string');
field(entityRef, 3, 'idKeys', 'string', { repeated: true });
field(entityRef, 4, 'descriptionKeys', 'string', { repeated: true });

child(scopeSpans, 1, 'scope', scope);
child(scopeSpans, 2, 'spans', span, { repeated: true });
field(scopeSpans, 3, 'schemaUrl', 'string');

field(scope, 1, 'name', 'string');
field(scope, 2, 'version', 'string');
child(scope, 3, 'attributes', keyValue, { repeated: true });
field(scope, 4, 'droppedAttributesCount', 'uint32');

field(span, 1, 'traceId', 'id');
field(span, 2, 'spanId', 'id');
field(span, 3, 'traceState', 'string');
field(span, 4, 'parentSpanId', 'id');
field(span, 5, 'name', 'string');
field(span, 6, 'kind', 'enum');
field(span, 7, 'startTimeUnixNano', 'fixed64');
field(span, 8, 'endTimeUnixNano', 'fixed64');
child(span, 9, 'attributes', keyValue, { repeated: true });
field(span, 10, 'droppedAttributesCount', 'uint32');
child(span, 11, 'events', event, { repeated: true });
field(span, 12, 'droppedEventsCount', 'uint32');
child(span, 13, 'links', link, { repeated: true });
field(span, 14, 'droppedLinksCount', 'uint32');
child(span, 15, 'status', status);
field(span, 16, 'flags', 'fixed32');

field(event, 1, 'timeUnixNano', 'fixed64');
field(event, 2, 'name', 'string');
child(event, 3, 'attributes', keyValue, { repeated: true });
field(event, 4, 'droppedAttributesCount', 'uint32');

field(link, 1, 'traceId', 'id');
field(link, 2, 'spanId', 'id');
field(link, 3, 'traceState', 'string');
child(link, 4, 'attributes', keyValue, { repeated: true });
field(link, 5, 'droppedAttributesCount', 'uint32');
field(link, 6, 'flags', 'fixed32');

field(status, 2, 'message', 'string');
field(status, 3, 'code', 'enum');

field(keyValue, 1, 'key', 'string');
child(keyValue, 2, 'value', ANY_VALUE);

field(ANY_VALUE, 1, 'stringValue', 'string', { presence: true });
field(ANY_VALUE, 2, 'boolValue', 'bool', { presence: true });
field(ANY_VALUE, 3, 'intValue', 'int64', { presence: true });
field(ANY_VALUE, 4, 'doubleValue', 'double', { presence: true });
child(ANY_VALUE, 5, 'arrayValue', arrayValue);
child(ANY_VALUE, 6, 'kvlistValue', keyValueList);
field(ANY_VALUE, 7, 'bytesValue', 'bytes', { presence: true });

child(arrayValue, 1, 'values', ANY_VALUE, { repeated: true });
child(keyValueList, 1, 'values', keyValue, { repeated: true });

/** The field of `type` whose key is `text[from, to)`; undefined for keys to ignore. */
export function fieldOf(
  type: MessageType,
  text: Uint8Array,
  from: number,
  to: number,
): Field | undefined {
  const candidates = type.byKeyLength[to - from];
  if (candidates === undefined) return undefined;
  return candidates.find((candidate) => {
    for (let i = to - from - 1; i >= 0; i--) {
      if (text[from + i] !== candidate.key.charCodeAt(i)) return false;
    }
    return true;
  });
}
