// v1 spans, whatever they were read from, to one ExportTraceServiceRequest.

import { SPANS_MAX, ZipkinProblem } from './decoded.ts';
import { readHexId } from './hex_id.ts';
import { OtlpBatch } from './otlp_batch.ts';
import { type EndpointDraft, KIND, micros, SpanDraft } from './span_draft.ts';
import type { Endpoint, V1Span, V2Span } from './v1_span.ts';
import { v1ToV2 } from './v1_to_v2.ts';

export class V1Batch {
  readonly #draft = new SpanDraft();
  readonly #batch: OtlpBatch;

  /** `nowMicros` (Unix) is given to spans without any time; `capacity` in bytes is a guess. */
  constructor(nowMicros: number, capacity: number) {
    this.#batch = new OtlpBatch(this.#draft, nowMicros, capacity);
  }

  /** Throws ZipkinProblem on ids that cannot be. */
  add(span: V1Span): void {
    for (const part of v1ToV2(span)) this.addV2(part);
  }

  addV2(span: V2Span): void {
    if (this.#batch.spanCount === SPANS_MAX) {
      throw new ZipkinProblem(`More than ${SPANS_MAX} spans: send smaller messages`);
    }
    fill(this.#draft, span);
    this.#batch.add();
  }

  /** The batch must not be used afterwards. */
  finish(): { bytes: Uint8Array<ArrayBuffer>; spans: number } {
    return { bytes: this.#batch.finish(), spans: this.#batch.spanCount };
  }
}

const KINDS = {
  CLIENT: KIND.client,
  SERVER: KIND.server,
  PRODUCER: KIND.producer,
  CONSUMER: KIND.consumer,
} as const;

function fill(draft: SpanDraft, span: V2Span): void {
  draft.clear();
  readId(draft.traceId, span.traceId, 'traceId');
  readId(draft.spanId, span.id, 'id');
  if (span.parentId !== undefined) readId(draft.parentId, span.parentId, 'parentId');
  if (span.kind !== undefined) draft.kind = KINDS[span.kind];
  if (span.name) draft.name = textOf(draft, span.name);
  draft.timestampMicros = micros(span.timestamp ?? 0);
  draft.durationMicros = micros(span.duration ?? 0);
  draft.debug = span.debug === true;
  draft.shared = span.shared === true;
  fillEndpoint(draft, draft.local, span.localEndpoint);
  fillEndpoint(draft, draft.remote, span.remoteEndpoint);
  for (const { timestamp, value } of span.annotations ?? []) {
    draft.annotation(micros(timestamp), textOf(draft, value));
  }
  for (const [key, value] of Object.entries(span.tags ?? {})) {
    draft.tag(textOf(draft, key), textOf(draft, value));
  }
}

function fillEndpoint(draft: SpanDraft, to: EndpointDraft, from: Endpoint | undefined): void {
  if (from?.serviceName) to.service = textOf(draft, from.serviceName);
  if (from?.ipv4 !== undefined) to.ipv4 = textOf(draft, from.ipv4);
  if (from?.ipv6 !== undefined) to.ipv6 = textOf(draft, from.ipv6);
  to.port = from?.port ?? 0;
}

function readId(id: Uint8Array, hex: string, name: string): void {
  const text = Buffer.from(hex, 'latin1');
  readHexId(text, 0, text.length, id, name);
}

function textOf(draft: SpanDraft, text: string): number {
  const bytes = Buffer.from(text, 'utf8');
  return draft.text(bytes, 0, bytes.length);
}
