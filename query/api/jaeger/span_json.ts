// One span as the JSON that Jaeger's UI reads (jaeger.md §2.2), built as text: a trace of 10,000
// spans is 10 MB, which objects and JSON.stringify would take three times as long for, in one go.

import { base64, doubleJson, textJson } from '../../../model/codec/json_text.ts';
import type { Attribute, Span, SpanEvent, SpanLink, Value } from '../../../model/span.ts';
import type { AssembledSpan } from '../../../model/trace/assemble.ts';
import { KIND_NAMES } from '../../tags.ts';

/** The places of a span's parts, in the order of Jaeger's own answers. */
export function spanJson(assembled: AssembledSpan, processId: string): string {
  const { span, warnings } = assembled;
  const flags = (span.flags & 0xff) === 0 ? '' : `"flags":${span.flags & 0xff},`;
  const duration = span.durationNanos < 0n ? 0n : span.durationNanos;
  return (
    `{"traceID":"${jaegerTraceId(span.traceId)}","spanID":"${span.spanId}",${flags}` +
    `"operationName":${textJson(span.name)},"references":[${referencesJson(span)}],` +
    `"startTime":${span.startUnixNanos / 1000n},"duration":${duration / 1000n},` +
    `"tags":[${tagsJson(span)}],"logs":[${span.events.map(logJson).join(',')}],` +
    `"processID":"${processId}","warnings":${warningsJson(warnings)}}`
  );
}

/** Jaeger writes 64-bit ids as 16 digits. */
export function jaegerTraceId(traceId: string): string {
  return traceId.startsWith('0000000000000000') ? traceId.slice(16) : traceId;
}

/** The resource is Jaeger's process; its service.name is the name, the rest are tags. */
export function processJson(span: Span): string {
  const tags = span.resource.attributes.filter((attribute) => attribute.key !== 'service.name');
  return `{"serviceName":${JSON.stringify(span.service)},"tags":[${tags.map(tagJson).join(',')}]}`;
}

export function warningsJson(warnings: readonly string[]): string {
  return warnings.length === 0 ? 'null' : JSON.stringify(warnings);
}

function referencesJson(span: Span): string {
  const references = span.links.map(linkJson);
  if (span.parentSpanId !== '') {
    references.unshift(referenceJson('CHILD_OF', span.traceId, span.parentSpanId));
  }
  return references.join(',');
}

function linkJson(link: SpanLink): string {
  return referenceJson(isChildLink(link) ? 'CHILD_OF' : 'FOLLOWS_FROM', link.traceId, link.spanId);
}

/** The OpenTracing shim of OpenTelemetry says by an attribute what its link stood for. */
export function isChildLink(link: SpanLink): boolean {
  return link.attributes.some(
    ({ key, value }) =>
      key === 'opentracing.ref_type' && value.type === 'string' && value.value === 'child_of',
  );
}

function referenceJson(type: string, traceId: string, spanId: string): string {
  return `{"refType":"${type}","traceID":"${jaegerTraceId(traceId)}","spanID":"${spanId}"}`;
}

/** Attributes, then the tags that stand for what Jaeger has no field for; sent ones come first. */
function tagsJson(span: Span): string {
  let tags = attributesJson(span.attributes, '');
  const add = (key: string, text: string | undefined): void => {
    if (text === '' || text === undefined || has(span, key)) return;
    tags += `${tags === '' ? '' : ','}${keyJson(key)}"type":"string","value":${textJson(text)}}`;
  };
  add('otel.scope.name', span.scope.name);
  add('otel.scope.version', span.scope.version);
  add('span.kind', KIND_NAMES[span.kind]);
  if (span.statusCode === 1) add('otel.status_code', 'OK');
  if (span.statusCode === 2) {
    add('otel.status_code', 'ERROR');
    if (!has(span, 'error')) {
      tags += `${tags === '' ? '' : ','}{"key":"error","type":"bool","value":true}`;
    }
  }
  add('otel.status_description', span.statusMessage);
  add('w3c.tracestate', span.traceState);
  return tags;
}

function attributesJson(attributes: readonly Attribute[], before: string): string {
  let tags = before;
  for (const { key, value } of attributes) {
    tags += `${tags === '' ? '' : ','}${keyJson(key)}${typeAndValue(value)}}`;
  }
  return tags;
}

function has({ attributes }: Span, key: string): boolean {
  for (const attribute of attributes) if (attribute.key === key) return true;
  return false;
}

/** An event's name is the field `event`, unless the event has an attribute of that name. */
function logJson(event: SpanEvent): string {
  const isNamed = event.attributes.some((attribute) => attribute.key === 'event');
  const name =
    event.name === '' || isNamed
      ? ''
      : `{"key":"event","type":"string","value":${textJson(event.name)}}`;
  const fields = attributesJson(event.attributes, name);
  return `{"timestamp":${event.timeUnixNanos / 1000n},"fields":[${fields}]}`;
}

function tagJson({ key, value }: Attribute): string {
  return `${keyJson(key)}${typeAndValue(value)}}`;
}

/** Keys are few, whatever senders do: more than this are values in disguise, and not kept. */
const KEYS_MAX = 4096;
const KEY_CHARS_MAX = 128;
const keys = new Map<string, string>();

/** `{"key":"…",` of a tag. */
function keyJson(key: string): string {
  const known = keys.get(key);
  if (known !== undefined) return known;
  const json = `{"key":${JSON.stringify(key)},`;
  if (keys.size < KEYS_MAX && key.length <= KEY_CHARS_MAX) keys.set(key, json);
  return json;
}

function typeAndValue(value: Value): string {
  switch (value.type) {
    case 'string':
      return `"type":"string","value":${textJson(value.value)}`;
    case 'bool':
      return `"type":"bool","value":${value.value}`;
    case 'int':
      return `"type":"int64","value":${intJson(value.value)}`;
    case 'double':
      return `"type":"float64","value":${doubleJson(value.value)}`;
    case 'bytes':
      return `"type":"binary","value":"${base64(value.value)}"`;
    case 'empty':
      return '"type":"string","value":""';
    default:
      return `"type":"string","value":${JSON.stringify(valueText(value))}`;
  }
}

const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** Beyond 2^53 a browser would round it, so it is a string there. */
function intJson(value: bigint): string {
  return value > SAFE_MAX || value < -SAFE_MAX ? `"${value}"` : `${value}`;
}

/** Arrays and maps are shown as JSON text; nested as deep as the check lets in (49). */
export function valueText(value: Value): string {
  switch (value.type) {
    case 'string':
      return JSON.stringify(value.value);
    case 'bool':
    case 'int':
      return `${value.value}`;
    case 'double':
      return doubleJson(value.value);
    case 'bytes':
      return `"${base64(value.value)}"`;
    case 'array':
      return `[${value.value.map(valueText).join(',')}]`;
    case 'map':
      return `{${value.value
        .map((item) => `${JSON.stringify(item.key)}:${valueText(item.value)}`)
        .join(',')}}`;
    case 'empty':
      return 'null';
  }
}
