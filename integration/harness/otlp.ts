// OTLP requests for tests, encoded by protobufjs from a descriptor of our own: nothing here shares
// code with what is tested. Field numbers: opentelemetry-proto 1.11.
import { randomBytes } from 'node:crypto';
import protobuf from 'protobufjs';

export interface TestSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId?: Uint8Array;
  readonly name?: string;
  readonly kind?: number;
  readonly startUnixNanos?: bigint;
  readonly endUnixNanos?: bigint;
  readonly attributes?: readonly TestAttribute[];
}

export interface TestAttribute {
  readonly key: string;
  /** A string or an int; or the bytes of an AnyValue, whatever they are. */
  readonly value: string | number | Uint8Array;
}

const { root } = protobuf.Root.fromJSON({
  nested: {
    Request: message({ resourceSpans: [1, 'ResourceSpans', 'repeated'] }),
    ResourceSpans: message({
      resource: [1, 'Resource'],
      scopeSpans: [2, 'ScopeSpans', 'repeated'],
    }),
    Resource: message({ attributes: [1, 'KeyValue', 'repeated'] }),
    ScopeSpans: message({ scope: [1, 'Scope'], spans: [2, 'Span', 'repeated'] }),
    Scope: message({ name: [1, 'string'], version: [2, 'string'] }),
    Span: message({
      traceId: [1, 'bytes'],
      spanId: [2, 'bytes'],
      parentSpanId: [4, 'bytes'],
      name: [5, 'string'],
      kind: [6, 'int32'],
      startTimeUnixNano: [7, 'fixed64'],
      endTimeUnixNano: [8, 'fixed64'],
      attributes: [9, 'KeyValue', 'repeated'],
    }),
    KeyValue: message({ key: [1, 'string'], value: [2, 'bytes'] }),
    Response: message({ partialSuccess: [1, 'PartialSuccess'] }),
    PartialSuccess: message({ rejectedSpans: [1, 'int64'], errorMessage: [2, 'string'] }),
    Status: message({ code: [1, 'int32'], message: [2, 'string'] }),
  },
});
const REQUEST = root.lookupType('Request');
const RESPONSE = root.lookupType('Response');
const STATUS = root.lookupType('Status');

function message(fields: Record<string, readonly [number, string, 'repeated'?]>) {
  const entries = Object.entries(fields).map(([name, [id, type, rule]]) => [
    name,
    rule === undefined ? { id, type } : { id, type, rule },
  ]);
  return { fields: Object.fromEntries(entries) };
}

/** ExportTraceServiceRequest bytes: one resource, one scope; times default to now, 1 ms long. */
export function encodeRequest(service: string, spans: readonly TestSpan[]): Uint8Array {
  const now = BigInt(Date.now()) * 1_000_000n;
  return REQUEST.encode(
    REQUEST.fromObject({
      resourceSpans: [
        {
          resource: { attributes: [encodeAttribute({ key: 'service.name', value: service })] },
          scopeSpans: [
            {
              scope: { name: 'integration', version: '1' },
              spans: spans.map(
                ({ startUnixNanos = now, endUnixNanos, attributes = [], ...span }) => ({
                  ...span,
                  attributes: attributes.map(encodeAttribute),
                  startTimeUnixNano: String(startUnixNanos),
                  endTimeUnixNano: String(endUnixNanos ?? startUnixNanos + 1_000_000n),
                }),
              ),
            },
          ],
        },
      ],
    }),
  ).finish();
}

// A submessage and bytes look the same on the wire, so that a test can put any AnyValue there.
function encodeAttribute({ key, value }: TestAttribute) {
  const writer = new protobuf.Writer();
  // AnyValue: 1 string_value, 3 int_value.
  if (typeof value === 'string') writer.uint32(0x0a).string(value);
  if (typeof value === 'number') writer.uint32(0x18).int64(value);
  return { key, value: value instanceof Uint8Array ? value : writer.finish() };
}

/** An AnyValue of `depth` levels, a scalar being one; protobufjs itself would stop at 50. */
export function nestedArray(depth: number): Uint8Array {
  let value: Uint8Array = new protobuf.Writer().uint32(0x18).int64(1).finish();
  for (let level = 1; level < depth; level++) {
    // AnyValue: 5 array_value; ArrayValue: 1 values.
    const array = new protobuf.Writer().uint32(0x0a).bytes(value).finish();
    value = new protobuf.Writer().uint32(0x2a).bytes(array).finish();
  }
  return value;
}

/** One trace: a root and its children, `count` spans in all. */
export function traceOf(count: number, name = 'work'): TestSpan[] {
  const traceId = randomBytes(16);
  const rootId = randomBytes(8);
  return Array.from({ length: count }, (_, i) =>
    i === 0
      ? { traceId, spanId: rootId, name, kind: 2 }
      : { traceId, spanId: randomBytes(8), parentSpanId: rootId, name: `${name} ${i}`, kind: 1 },
  );
}

export function hex(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}

/** Trace and span ids in hex of an ExportTraceServiceRequest, in its order. */
export function decodeSpans(bytes: Uint8Array): { traceId: string; spanId: string }[] {
  interface Decoded {
    readonly resourceSpans?: { readonly scopeSpans?: { readonly spans?: TestSpan[] }[] }[];
  }
  const decoded = REQUEST.decode(bytes) as unknown as Decoded;
  return (decoded.resourceSpans ?? []).flatMap(({ scopeSpans = [] }) =>
    scopeSpans.flatMap(({ spans = [] }) =>
      spans.map(({ traceId, spanId }) => ({ traceId: hex(traceId), spanId: hex(spanId) })),
    ),
  );
}

export interface PartialSuccess {
  readonly rejectedSpans: number;
  readonly errorMessage: string;
}

/** The partial_success of an ExportTraceServiceResponse; zero and '' where it is not set. */
export function decodeResponse(bytes: Uint8Array): PartialSuccess {
  const decoded = RESPONSE.toObject(RESPONSE.decode(bytes), { longs: Number });
  const partial: Partial<PartialSuccess> = decoded['partialSuccess'] ?? {};
  return { rejectedSpans: partial.rejectedSpans ?? 0, errorMessage: partial.errorMessage ?? '' };
}

export interface StatusMessage {
  readonly code: number;
  readonly message: string;
}

/** A google.rpc.Status, as error bodies in protobuf carry it. */
export function decodeStatus(bytes: Uint8Array): StatusMessage {
  const decoded = STATUS.toObject(STATUS.decode(bytes), { defaults: true });
  return { code: Number(decoded['code']), message: String(decoded['message']) };
}
