// An ExportTraceServiceRequest as our Jaeger API shows it: the conventions of
// query/api/jaeger/span_json.ts, said once more, so that the way back can be tried here.

import { plain, RequestType } from '../../otlp/testing/proto_root.ts';
import type { PlainReference, PlainTag, PlainValue } from './jaeger_span.ts';

export interface ShownSpan {
  readonly service: string;
  readonly processTags: readonly PlainTag[];
  readonly traceId: string;
  readonly spanId: string;
  /** '' without one. */
  readonly parentId: string;
  readonly name: string;
  readonly references: readonly PlainReference[];
  readonly flags: number;
  readonly startNanos: bigint;
  readonly durationNanos: bigint;
  readonly tags: readonly PlainTag[];
  readonly logs: readonly { readonly nanos: bigint; readonly fields: readonly PlainTag[] }[];
}

interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly bytesValue?: string;
}

interface KeyValue {
  readonly key?: string;
  readonly value?: AnyValue;
}

interface Request {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly KeyValue[] };
    readonly scopeSpans?: readonly {
      readonly scope?: { readonly name?: string; readonly version?: string };
      readonly spans?: readonly OtlpSpan[];
    }[];
  }[];
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name?: string;
  readonly kind?: number;
  readonly startTimeUnixNano?: string;
  readonly endTimeUnixNano?: string;
  readonly attributes?: readonly KeyValue[];
  readonly events?: readonly {
    readonly timeUnixNano?: string;
    readonly name?: string;
    readonly attributes?: readonly KeyValue[];
  }[];
  readonly links?: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes?: readonly KeyValue[];
  }[];
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly flags?: number;
}

export function shownSpans(bytes: Uint8Array): ShownSpan[] {
  const request = plain(RequestType, bytes) as Request;
  return (request.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) => {
    const attributes = (resource?.attributes ?? []).map(tagOf);
    const names = attributes.filter(({ key }) => key === 'service.name');
    const process = {
      service: String(names.at(-1)?.value[1] ?? ''),
      processTags: attributes.filter((tag) => tag !== names.at(-1)),
    };
    return (scopeSpans ?? []).flatMap(({ scope, spans }) =>
      (spans ?? []).map((span) => ({ ...process, ...shownSpan(span, scope ?? {}) })),
    );
  });
}

function shownSpan(
  span: OtlpSpan,
  scope: { readonly name?: string; readonly version?: string },
): Omit<ShownSpan, 'service' | 'processTags'> {
  const start = BigInt(span.startTimeUnixNano ?? 0);
  const parentId = hex(span.parentSpanId ?? '');
  const traceId = hex(span.traceId);
  const parent = { type: 'child_of' as const, traceId, spanId: parentId };
  const links = (span.links ?? []).map((link) => ({
    type: link.attributes?.[0]?.value?.stringValue as PlainReference['type'],
    traceId: hex(link.traceId),
    spanId: hex(link.spanId),
  }));
  return {
    traceId,
    spanId: hex(span.spanId),
    parentId,
    name: span.name ?? '',
    references: parentId === '' ? links : [parent, ...links],
    flags: span.flags ?? 0,
    startNanos: start,
    durationNanos: BigInt.asIntN(64, BigInt(span.endTimeUnixNano ?? 0) - start),
    tags: shownTags(span, scope),
    logs: (span.events ?? []).map((event) => {
      const fields = (event.attributes ?? []).map(tagOf);
      const isNamed = fields.some(({ key }) => key === 'event');
      const name = event.name ?? '';
      if (name !== '' && !isNamed) fields.unshift({ key: 'event', value: ['string', name] });
      return { nanos: BigInt(event.timeUnixNano ?? 0), fields };
    }),
  };
}

const KINDS = ['', 'internal', 'server', 'client', 'producer', 'consumer'];

function shownTags(
  span: OtlpSpan,
  scope: { readonly name?: string; readonly version?: string },
): PlainTag[] {
  const tags = (span.attributes ?? []).map(tagOf);
  const add = (key: string, value: PlainValue): void => {
    if (value[1] !== '' && !tags.some((tag) => tag.key === key)) tags.push({ key, value });
  };
  add('otel.scope.name', ['string', scope.name ?? '']);
  add('otel.scope.version', ['string', scope.version ?? '']);
  add('span.kind', ['string', KINDS[span.kind ?? 0] as string]);
  const code = span.status?.code ?? 0;
  if (code > 0) add('otel.status_code', ['string', code === 1 ? 'OK' : 'ERROR']);
  if (code === 2) add('error', ['bool', true]);
  add('otel.status_description', ['string', span.status?.message ?? '']);
  add('w3c.tracestate', ['string', span.traceState ?? '']);
  return tags;
}

function tagOf({ key, value = {} }: KeyValue): PlainTag {
  return { key: key ?? '', value: plainValue(value) };
}

function plainValue(value: AnyValue): PlainValue {
  if (value.boolValue !== undefined) return ['bool', value.boolValue];
  if (value.intValue !== undefined) return ['int', BigInt(value.intValue)];
  if (value.doubleValue !== undefined) return ['double', value.doubleValue];
  if (value.bytesValue !== undefined) return ['binary', value.bytesValue];
  return ['string', value.stringValue ?? ''];
}

function hex(base64: string): string {
  return Buffer.from(base64, 'base64').toString('hex');
}
