// One span as jaeger.api_v2.Span: what span_json.ts says as JSON, as protobuf. Numbers:
// proto/jaeger/api_v2/model.proto.

import { ProtoWriter } from '../../../../model/codec/otlp/proto_writer.ts';
import type {
  Attribute,
  Resource,
  Span,
  SpanEvent,
  SpanLink,
  Value,
} from '../../../../model/span.ts';
import type { AssembledSpan } from '../../../../model/trace/assemble.ts';
import { KIND_NAMES } from '../../../tags.ts';
import { isChildLink, valueText } from '../span_json.ts';

const SECOND_NANOS = 1_000_000_000n;
const CHILD_OF = 0;
const FOLLOWS_FROM = 1;
/** ValueType. */
const STRING = 0;
const BOOL = 1;
const INT64 = 2;
const FLOAT64 = 3;
const BINARY = 4;

/** A message of about this size; a stock client takes 4 MiB. */
const CHUNK_BYTES = 256 * 1024;
/** A guess of what a span takes. */
const SPAN_BYTES_TYPICAL = 1024;

/** Gathers spans to the messages SpansResponseChunk { 1 spans }. One for each trace. */
export class SpanChunks {
  #writer = new ProtoWriter(SPAN_BYTES_TYPICAL);
  readonly #processes = new Map<Resource, Uint8Array>();

  /** A message, where it is full. */
  add(assembled: AssembledSpan): Uint8Array | undefined {
    const mark = this.#writer.begin(1);
    writeSpan(this.#writer, assembled, this.#process(assembled.span));
    this.#writer.end(mark);
    return this.#writer.length < CHUNK_BYTES ? undefined : this.#take();
  }

  /** What is left, if anything. */
  finish(): Uint8Array | undefined {
    return this.#writer.length === 0 ? undefined : this.#take();
  }

  #take(): Uint8Array {
    const message = this.#writer.finish();
    this.#writer = new ProtoWriter(CHUNK_BYTES);
    return message;
  }

  /** Each span has its own; most have the same. */
  #process(span: Span): Uint8Array {
    const known = this.#processes.get(span.resource);
    if (known !== undefined) return known;
    const writer = new ProtoWriter(SPAN_BYTES_TYPICAL);
    writer.string(1, span.service);
    for (const attribute of span.resource.attributes) {
      if (attribute.key !== 'service.name') writeTag(writer, 2, attribute);
    }
    const process = writer.finish();
    this.#processes.set(span.resource, process);
    return process;
  }
}

function writeSpan(writer: ProtoWriter, assembled: AssembledSpan, process: Uint8Array): void {
  const { span, warnings } = assembled;
  writer.bytes(1, Buffer.from(span.traceId, 'hex'));
  writer.bytes(2, Buffer.from(span.spanId, 'hex'));
  writer.string(3, span.name);
  if (span.parentSpanId !== '') {
    writeReference(writer, CHILD_OF, span.traceId, span.parentSpanId);
  }
  for (const link of span.links) writeLink(writer, link);
  const flags = span.flags & 0xff;
  if (flags !== 0) writer.uint(5, flags);
  writeSeconds(writer, 6, span.startUnixNanos);
  writeSeconds(writer, 7, span.durationNanos < 0n ? 0n : span.durationNanos);
  writeTags(writer, span);
  for (const event of span.events) writeLog(writer, event);
  writer.bytes(10, process);
  for (const warning of warnings) writer.string(12, warning);
}

/** Attributes, then the tags that stand for what Jaeger has no field for; sent ones come first. */
function writeTags(writer: ProtoWriter, span: Span): void {
  for (const attribute of span.attributes) writeTag(writer, 8, attribute);
  const add = (key: string, value: Value): void => {
    const isEmpty = value.type === 'string' && value.value === '';
    if (!isEmpty && !span.attributes.some((one) => one.key === key)) {
      writeTag(writer, 8, { key, value });
    }
  };
  const text = (key: string, value: string): void => add(key, { type: 'string', value });
  text('otel.scope.name', span.scope.name);
  text('otel.scope.version', span.scope.version);
  text('span.kind', KIND_NAMES[span.kind]);
  if (span.statusCode === 1) text('otel.status_code', 'OK');
  if (span.statusCode === 2) {
    text('otel.status_code', 'ERROR');
    add('error', { type: 'bool', value: true });
  }
  text('otel.status_description', span.statusMessage);
  text('w3c.tracestate', span.traceState);
}

function writeTag(writer: ProtoWriter, field: number, { key, value }: Attribute): void {
  const mark = writer.begin(field);
  writer.string(1, key);
  if (value.type === 'bool') {
    writer.uint(2, BOOL);
    writer.uint(4, value.value ? 1 : 0);
  } else if (value.type === 'int') {
    writer.uint(2, INT64);
    writer.int(5, value.value);
  } else if (value.type === 'double') {
    writer.uint(2, FLOAT64);
    writer.double(6, value.value);
  } else if (value.type === 'bytes') {
    writer.uint(2, BINARY);
    writer.bytes(7, value.value);
  } else {
    writer.uint(2, STRING);
    writer.string(3, textOf(value));
  }
  writer.end(mark);
}

function textOf(value: Value): string {
  if (value.type === 'string') return value.value;
  return value.type === 'empty' ? '' : valueText(value);
}

/** An event's name is the field `event`, unless the event has an attribute of that name. */
function writeLog(writer: ProtoWriter, event: SpanEvent): void {
  const mark = writer.begin(9);
  writeSeconds(writer, 1, event.timeUnixNanos);
  const isNamed = event.attributes.some((attribute) => attribute.key === 'event');
  if (event.name !== '' && !isNamed) {
    writeTag(writer, 2, { key: 'event', value: { type: 'string', value: event.name } });
  }
  for (const attribute of event.attributes) writeTag(writer, 2, attribute);
  writer.end(mark);
}

function writeLink(writer: ProtoWriter, link: SpanLink): void {
  const type = isChildLink(link) ? CHILD_OF : FOLLOWS_FROM;
  writeReference(writer, type, link.traceId, link.spanId);
}

function writeReference(writer: ProtoWriter, type: number, traceId: string, spanId: string): void {
  const mark = writer.begin(4);
  writer.bytes(1, Buffer.from(traceId, 'hex'));
  writer.bytes(2, Buffer.from(spanId, 'hex'));
  if (type !== CHILD_OF) writer.uint(3, type);
  writer.end(mark);
}

/** google.protobuf.Timestamp, or Duration: seconds and nanoseconds, which are never negative. */
function writeSeconds(writer: ProtoWriter, field: number, nanos: bigint): void {
  const mark = writer.begin(field);
  const rest = ((nanos % SECOND_NANOS) + SECOND_NANOS) % SECOND_NANOS;
  const seconds = (nanos - rest) / SECOND_NANOS;
  if (seconds !== 0n) writer.int(1, seconds);
  if (rest !== 0n) writer.int(2, rest);
  writer.end(mark);
}
