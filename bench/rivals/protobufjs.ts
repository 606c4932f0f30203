// The usual way in Node: protobufjs makes objects of the bytes, and text goes to ClickHouse. What a
// rival does for the same outcome, as in many exporters and in the default path of @grpc/grpc-js
// services.

import path from 'node:path';
import protobuf from 'protobufjs';

const PROTO_FOLDER = path.join(import.meta.dirname, '..', '..', 'proto');

/** Long and bytes as protobufjs gives them; only what the row needs. */
export interface DecodedSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  /** Empty in roots, and then a plain array. */
  readonly parentSpanId: Uint8Array | readonly [];
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: LongLike;
  readonly endTimeUnixNano: LongLike;
  readonly attributes: readonly DecodedAttribute[];
  readonly events: readonly DecodedEvent[];
  readonly links: readonly { traceId: Uint8Array; spanId: Uint8Array }[];
  readonly status?: { readonly code: number; readonly message: string } | null;
}

export interface DecodedRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly DecodedAttribute[] } | null;
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string; readonly version: string } | null;
      readonly spans: readonly DecodedSpan[];
    }[];
  }[];
}

interface LongLike {
  readonly low: number;
  readonly high: number;
  toString(): string;
}

interface DecodedEvent {
  readonly timeUnixNano: LongLike;
  readonly name: string;
  readonly attributes: readonly DecodedAttribute[];
}

interface DecodedAttribute {
  readonly key: string;
  readonly value: {
    readonly stringValue?: string;
    readonly intValue?: LongLike;
    readonly doubleValue?: number;
    readonly boolValue?: boolean;
  } | null;
}

export function loadDecoder(): (bytes: Uint8Array) => DecodedRequest {
  const root = new protobuf.Root();
  root.resolvePath = (_, target) => path.join(PROTO_FOLDER, target);
  root.loadSync('opentelemetry/proto/collector/trace/v1/trace_service.proto');
  const name = 'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest';
  const type = root.lookupType(name);
  return (bytes) => type.decode(bytes) as unknown as DecodedRequest;
}

/** One line of JSONEachRow a span, with the columns that a plain traces table has. */
export function toJsonEachRow(request: DecodedRequest): Buffer {
  const lines: string[] = [];
  for (const { resource, scopeSpans } of request.resourceSpans) {
    const resourceAttributes = toRecord(resource?.attributes ?? []);
    for (const { scope, spans } of scopeSpans) {
      for (const span of spans) {
        lines.push(JSON.stringify(toRow(span, resourceAttributes, scope?.name ?? '')));
      }
    }
  }
  return Buffer.from(`${lines.join('\n')}\n`);
}

function toRow(span: DecodedSpan, resource: Record<string, string>, scope: string) {
  const start = BigInt(span.startTimeUnixNano.toString());
  return {
    trace_id: hex(span.traceId),
    span_id: hex(span.spanId),
    parent_id: hex(span.parentSpanId),
    ts: start.toString(),
    duration: (BigInt(span.endTimeUnixNano.toString()) - start).toString(),
    service: resource['service.name'] ?? '',
    name: span.name,
    kind: span.kind,
    status: span.status?.code ?? 0,
    status_message: span.status?.message ?? '',
    scope,
    resource,
    attributes: toRecord(span.attributes),
    event_times: span.events.map((event) => event.timeUnixNano.toString()),
    event_names: span.events.map((event) => event.name),
    event_attributes: span.events.map((event) => toRecord(event.attributes)),
    link_trace_ids: span.links.map((link) => hex(link.traceId)),
    link_span_ids: span.links.map((link) => hex(link.spanId)),
  };
}

function toRecord(attributes: readonly DecodedAttribute[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (const { key, value } of attributes) {
    const plain = value?.stringValue ?? value?.intValue ?? value?.doubleValue ?? value?.boolValue;
    record[key] = String(plain ?? '');
  }
  return record;
}

function hex(bytes: Uint8Array | readonly []): string {
  if (!(bytes instanceof Uint8Array)) return '';
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
