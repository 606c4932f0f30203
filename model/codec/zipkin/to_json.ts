// The way back: a stored span as the Zipkin v2 span that it came from, or, for a span that came by
// another protocol, as OpenTelemetry's specification maps it ("SDK exporters: Zipkin").

import type { Attribute, Span, SpanEvent, Value } from '../../span.ts';
import * as names from './attribute_names.ts';
import { foreignRemote } from './remote_endpoint.ts';
import type { Endpoint, Kind, V2Span } from './v1_span.ts';

/** Key order, and what is left out, as Zipkin's own writer has them. Names keep their case. */
export function toZipkinSpan(span: Span): V2Span {
  const isZipkin = span.scope.schemaUrl === names.ZIPKIN_SCHEMA;
  const attributes = new Map(span.attributes.map(({ key, value }) => [key, value]));
  const local = localEndpoint(span, isZipkin);
  const remote = isZipkin ? remoteEndpoint(attributes) : foreignRemote(attributes, span.kind);
  const annotations = annotationsOf(span.events);
  const tags = isZipkin ? ownTags(span, attributes) : foreignTags(span, attributes);
  const timestamp = attributes.has(names.NO_TIMESTAMP) ? 0 : Number(span.startUnixNanos / 1000n);
  const duration = Number(span.durationNanos / 1000n);
  const kind = KINDS[span.kind];
  return {
    traceId: shortTraceId(span.traceId),
    ...(span.parentSpanId === '' ? {} : { parentId: span.parentSpanId }),
    id: span.spanId,
    ...(kind === undefined ? {} : { kind }),
    ...(span.name === '' ? {} : { name: span.name }),
    ...(timestamp > 0 ? { timestamp } : {}),
    ...(duration > 0 ? { duration } : {}),
    ...(local === undefined ? {} : { localEndpoint: local }),
    ...(remote === undefined ? {} : { remoteEndpoint: remote }),
    ...(annotations.length === 0 ? {} : { annotations }),
    ...(Object.keys(tags).length === 0 ? {} : { tags }),
    ...(isTrue(attributes.get(names.DEBUG)) ? { debug: true as const } : {}),
    ...(isTrue(attributes.get(names.SHARED)) ? { shared: true as const } : {}),
  };
}

/** Zipkin has no internal spans: they have no kind. */
const KINDS: readonly (Kind | undefined)[] = [
  ...[undefined, undefined, 'SERVER' as const, 'CLIENT' as const],
  ...(['PRODUCER', 'CONSUMER'] as const),
];

function shortTraceId(traceId: string): string {
  return traceId.startsWith('0000000000000000') ? traceId.slice(16) : traceId;
}

/** Zipkin's own spans may lack a service; one of another protocol has the name it is stored by. */
function localEndpoint(span: Span, isZipkin: boolean): Endpoint | undefined {
  const attributes = new Map(span.resource.attributes.map(({ key, value }) => [key, value]));
  return endpoint(
    isZipkin ? attributes.get(names.SERVICE_NAME) : { type: 'string', value: span.service },
    attributes.get(names.LOCAL_ADDRESS),
    attributes.get(names.LOCAL_IPV6),
    attributes.get(names.LOCAL_PORT),
  );
}

type Attributes = ReadonlyMap<string, Value>;

function remoteEndpoint(attributes: Attributes): Endpoint | undefined {
  if (attributes.has(names.REMOTE)) {
    return endpoint(
      attributes.get(names.REMOTE_SERVICE),
      attributes.get(names.REMOTE_ADDRESS),
      attributes.get(names.REMOTE_IPV6),
      attributes.get(names.REMOTE_PORT),
    );
  }
  return endpoint(
    attributes.get(names.PEER_SERVICE),
    attributes.get(names.PEER_ADDRESS),
    attributes.get(names.PEER_IPV6),
    attributes.get(names.PEER_PORT),
  );
}

function endpoint(
  service: Value | undefined,
  address: Value | undefined,
  ipv6: Value | undefined,
  port: Value | undefined,
): Endpoint | undefined {
  const serviceName = service?.type === 'string' ? service.value : '';
  const first = address?.type === 'string' ? address.value : '';
  const second = ipv6?.type === 'string' ? ipv6.value : '';
  const number = port?.type === 'int' ? Number(port.value) : 0;
  const found: Endpoint = {
    ...(serviceName === '' ? {} : { serviceName }),
    ...(/^\d+\.\d+\.\d+\.\d+$/.test(first) ? { ipv4: first } : {}),
    ...(first.includes(':') ? { ipv6: first } : {}),
    ...(second.includes(':') ? { ipv6: second } : {}),
    ...(number > 0 && number <= 0xffff ? { port: number } : {}),
  };
  return Object.keys(found).length === 0 ? undefined : found;
}

/** By time, then text, each once. */
function annotationsOf(events: readonly SpanEvent[]): { timestamp: number; value: string }[] {
  const all = events
    .map((event) => ({
      timestamp: Number(event.timeUnixNanos / 1000n),
      value: annotationText(event),
    }))
    .sort((a, b) => a.timestamp - b.timestamp || compare(a.value, b.value));
  return all.filter(
    ({ timestamp, value }, i) => all[i - 1]?.timestamp !== timestamp || all[i - 1]?.value !== value,
  );
}

/** `"name": {attributes as JSON}` where there are any, as the specification has it. */
function annotationText(event: SpanEvent): string {
  if (event.attributes.length === 0) return event.name;
  const members = event.attributes.map(
    ({ key, value }) => `${JSON.stringify(key)}:${jsonText(value)}`,
  );
  return `${JSON.stringify(event.name)}: {${members.join(',')}}`;
}

const CONSUMED: ReadonlySet<string> = new Set([...names.OUR_NAMES]);

/** Of a span that came as Zipkin: its attributes but for those that we put there. */
function ownTags(span: Span, attributes: Attributes): Record<string, string> {
  const peerIsTag = attributes.has(names.REMOTE);
  const tags = new Map<string, string>();
  for (const { key, value } of span.attributes) {
    if (CONSUMED.has(key) || (names.PEER_NAMES.has(key) && !peerIsTag)) continue;
    const name = key.startsWith(names.TAG_PREFIX) ? key.slice(names.TAG_PREFIX.length) : key;
    tags.set(name, tagText(value));
  }
  if (span.statusCode === 2 && !attributes.has(names.ERROR_TAG)) {
    tags.set(names.ERROR, span.statusMessage);
  }
  return sorted(tags);
}

/**
 * Of a span that came by another protocol. Its resource's attributes are tags, too, as the
 * OpenTelemetry Collector writes them: the specification leaves it open, and nothing else shows them.
 */
function foreignTags(span: Span, attributes: Attributes): Record<string, string> {
  const tags = new Map(span.resource.attributes.map(({ key, value }) => [key, tagText(value)]));
  for (const name of LOCAL_NAMES) tags.delete(name);
  for (const { key, value } of span.attributes) tags.set(key, tagText(value));
  // Zipkin takes any value for an error.
  if (tags.get(names.ERROR) === 'false') tags.delete(names.ERROR);
  if (span.statusCode === 1) tags.set(names.STATUS_CODE, 'OK');
  if (span.statusCode === 2) {
    tags.set(names.STATUS_CODE, 'ERROR');
    const { statusMessage } = span;
    if (statusMessage !== '' || attributes.get(names.ERROR)?.type !== 'string') {
      tags.set(names.ERROR, statusMessage);
    }
  }
  const { name, version } = span.scope;
  if (name !== '') tags.set('otel.scope.name', name);
  if (version !== '') tags.set('otel.scope.version', version);
  for (const [lost, count] of lostOf(span)) if (count > 0) tags.set(lost, `${count}`);
  return sorted(tags);
}

/** Shown as localEndpoint. */
const LOCAL_NAMES = [names.SERVICE_NAME, names.LOCAL_ADDRESS, names.LOCAL_PORT];

/** As the specification names what a sender left out. */
function lostOf(span: Span): [string, number][] {
  return [
    ['otel.dropped_attributes_count', span.droppedAttributesCount],
    ['otel.dropped_events_count', span.droppedEventsCount],
    ['otel.dropped_links_count', span.droppedLinksCount],
  ];
}

function sorted(tags: ReadonlyMap<string, string>): Record<string, string> {
  const all = [...tags].sort(([a], [b]) => compare(a, b));
  const object = Object.create(null) as Record<string, string>;
  for (const [key, value] of all) object[key] = value;
  return object;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function isTrue(value: Value | undefined): boolean {
  return value?.type === 'bool' && value.value;
}

function tagText(value: Value): string {
  return value.type === 'string' ? value.value : jsonText(value);
}

function jsonText(value: Value): string {
  switch (value.type) {
    case 'string':
      return JSON.stringify(value.value);
    case 'bool':
    case 'int':
      return `${value.value}`;
    case 'double':
      return Number.isFinite(value.value) ? `${value.value}` : `"${value.value}"`;
    case 'bytes':
      return `"${Buffer.from(value.value).toString('base64')}"`;
    case 'array':
      return `[${value.value.map(jsonText).join(',')}]`;
    case 'map':
      return `{${value.value.map(member).join(',')}}`;
    case 'empty':
      return 'null';
  }
}

function member({ key, value }: Attribute): string {
  return `${JSON.stringify(key)}:${jsonText(value)}`;
}
