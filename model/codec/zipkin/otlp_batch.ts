// Zipkin spans to one ExportTraceServiceRequest: each is written at once, and in the end they are
// put together by resource (localEndpoint). Field numbers: proto/opentelemetry.

import { ProtoWriter } from '../otlp/proto_writer.ts';
import {
  boolAttribute,
  intAttribute,
  K,
  nanos,
  PEER_KEYS,
  REMOTE_KEYS,
  SCHEMA,
} from './attribute_writer.ts';
import { type EndpointDraft, KIND, MICROS_MAX, NONE, type SpanDraft } from './span_draft.ts';
import { classifyTag, TAG, type TagClass } from './tag_class.ts';

/**
 * Endpoints that are looked up by name. One process is one endpoint and a batch comes from one or a
 * few; past this, spans of a further endpoint are only joined with the span before them.
 */
const ENDPOINTS_MAX = 1024;

/** A longer endpoint is no name that anyone chose; it is not looked up either. */
const ENDPOINT_KEY_BYTES_MAX = 1024;

/** Ends the list of a group's spans. */
const LAST = -1;

export class OtlpBatch {
  readonly #draft: SpanDraft;
  readonly #nowMicros: number;
  readonly #spans: ProtoWriter;
  readonly #spanEnds: number[] = [];
  /** The next span of the same group. */
  readonly #nextSpan: number[] = [];
  readonly #resources = new ProtoWriter(256);
  readonly #resourceEnds: number[] = [];
  readonly #firstSpan: number[] = [];
  readonly #lastSpan: number[] = [];
  readonly #groups = new Map<string, number>();
  #group = NONE;
  #key = Buffer.allocUnsafe(ENDPOINT_KEY_BYTES_MAX);
  #lastKey = Buffer.allocUnsafe(ENDPOINT_KEY_BYTES_MAX);
  #lastKeyLength = NONE;

  /** `nowMicros` is given to spans without any time; `capacity` in bytes is a guess. */
  constructor(draft: SpanDraft, nowMicros: number, capacity: number) {
    this.#draft = draft;
    this.#nowMicros = nowMicros;
    this.#spans = new ProtoWriter(capacity);
  }

  get spanCount(): number {
    return this.#spanEnds.length;
  }

  /** Writes the span that the draft holds. */
  add(): void {
    const group = this.#groupOf(this.#draft.local);
    const span = this.#spanEnds.length;
    const last = this.#lastSpan[group] as number;
    if (last === LAST) this.#firstSpan[group] = span;
    else this.#nextSpan[last] = span;
    this.#lastSpan[group] = span;
    this.#nextSpan.push(LAST);
    this.#writeSpan();
    this.#spanEnds.push(this.#spans.length);
  }

  /** The request's bytes; the batch must not be used afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    const out = new ProtoWriter(this.#spans.length + this.#resources.length + 256);
    const spans = this.#spans.finish();
    const resources = this.#resources.finish();
    for (let group = 0; group < this.#resourceEnds.length; group++) {
      const resourceSpans = out.begin(1);
      out.bytes(1, resources, this.#resourceEnds[group - 1] ?? 0, this.#resourceEnds[group]);
      const scopeSpans = out.begin(2);
      let span = this.#firstSpan[group] as number;
      while (span !== LAST) {
        out.bytes(2, spans, this.#spanEnds[span - 1] ?? 0, this.#spanEnds[span]);
        span = this.#nextSpan[span] as number;
      }
      out.bytes(3, SCHEMA);
      out.end(scopeSpans);
      out.end(resourceSpans);
    }
    return out.finish();
  }

  #groupOf(local: EndpointDraft): number {
    const length = this.#endpointKey(local);
    if (length === NONE) {
      this.#lastKeyLength = NONE;
      return this.#addGroup(local);
    }
    const key = this.#key;
    if (length === this.#lastKeyLength && key.compare(this.#lastKey, 0, length, 0, length) === 0) {
      return this.#group;
    }
    this.#key = this.#lastKey;
    this.#lastKey = key;
    this.#lastKeyLength = length;
    const text = key.toString('latin1', 0, length);
    const known = this.#groups.get(text);
    this.#group = known ?? this.#addGroup(local);
    if (known === undefined && this.#groups.size < ENDPOINTS_MAX) {
      this.#groups.set(text, this.#group);
    }
    return this.#group;
  }

  /** Puts the endpoint into `#key`; its length, or NONE where it is too long. */
  #endpointKey(local: EndpointDraft): number {
    const { textOf, textFrom, textTo } = this.#draft;
    const key = this.#key;
    let at = 0;
    for (const text of [local.service, local.ipv4, local.ipv6]) {
      const from = text < 0 ? 0 : (textFrom[text] as number);
      const to = text < 0 ? 0 : (textTo[text] as number);
      if (at + to - from + 5 > ENDPOINT_KEY_BYTES_MAX) return NONE;
      const bytes = textOf[text];
      for (let i = from; i < to; i++) key[at++] = bytes?.[i] as number;
      // 0xff occurs in no UTF-8, so the parts cannot be taken for one another.
      key[at++] = 0xff;
    }
    key[at++] = local.port >> 8;
    key[at++] = local.port & 0xff;
    return at;
  }

  #addGroup(local: EndpointDraft): number {
    const out = this.#resources;
    if (local.service >= 0) this.#textAttribute(out, 1, K.serviceName, local.service);
    const address = local.ipv4 >= 0 ? local.ipv4 : local.ipv6;
    if (address >= 0) this.#textAttribute(out, 1, K.localAddress, address);
    if (local.ipv4 >= 0 && local.ipv6 >= 0) this.#textAttribute(out, 1, K.localIpv6, local.ipv6);
    if (local.port > 0) intAttribute(out, 1, K.localPort, local.port);
    this.#resourceEnds.push(out.length);
    this.#firstSpan.push(LAST);
    return this.#lastSpan.push(LAST) - 1;
  }

  #writeSpan(): void {
    const draft = this.#draft;
    const out = this.#spans;
    out.bytes(1, draft.traceId);
    out.bytes(2, draft.spanId);
    if (!isZero(draft.parentId) && !isSame(draft.parentId, draft.spanId)) {
      out.bytes(4, draft.parentId);
    }
    if (draft.name >= 0) this.#text(out, 5, draft.name);
    if (draft.kind !== KIND.none) out.uint(6, draft.kind);
    const start = draft.timestampMicros > 0 ? draft.timestampMicros : this.#startMicros();
    nanos(out, 7, start);
    nanos(out, 8, Math.min(start + draft.durationMicros, MICROS_MAX));
    if (draft.timestampMicros === 0) boolAttribute(out, K.noTimestamp, true);
    if (draft.debug) boolAttribute(out, K.debug, true);
    if (draft.shared && draft.kind !== KIND.client) boolAttribute(out, K.shared, true);
    this.#writeTags();
    for (let i = 0; i < draft.annotationCount; i++) {
      const mark = out.begin(11);
      nanos(out, 1, draft.annotationMicros[i] as number);
      this.#text(out, 2, draft.annotationValues[i] as number);
      out.end(mark);
    }
  }

  /** A span without a time of its own: where its first annotation is, or now. */
  #startMicros(): number {
    const { annotationMicros, annotationCount } = this.#draft;
    let first = 0;
    for (let i = 0; i < annotationCount; i++) {
      const at = annotationMicros[i] as number;
      if (at > 0 && (first === 0 || at < first)) first = at;
    }
    return first > 0 ? first : this.#nowMicros;
  }

  #writeTags(): void {
    const draft = this.#draft;
    const out = this.#spans;
    let error = NONE;
    let status: TagClass = TAG.plain;
    let peerIsTag = false;
    for (let i = 0; i < draft.tagCount; i++) {
      const key = draft.tagKeys[i] as number;
      const value = draft.tagValues[i] as number;
      const kind = classifyTag(draft, key, value);
      if (kind === TAG.error) {
        error = value;
        continue;
      }
      if (kind === TAG.peer) peerIsTag = true;
      else if (kind === TAG.statusOk || kind === TAG.statusError) status = kind;
      else if (kind === TAG.statusUnset) status = TAG.plain;
      const mark = out.begin(9);
      if (kind === TAG.ours) this.#prefixedKey(out, key);
      else this.#text(out, 1, key);
      this.#textValue(out, value);
      out.end(mark);
    }
    this.#writeRemote(peerIsTag);
    if (error < 0 && status === TAG.statusError) boolAttribute(out, K.errorTag, false);
    this.#writeStatus(error, status);
  }

  #writeStatus(error: number, status: TagClass): void {
    const code = error >= 0 || status === TAG.statusError ? 2 : status === TAG.statusOk ? 1 : 0;
    if (code === 0) return;
    const mark = this.#spans.begin(15);
    if (error >= 0) this.#text(this.#spans, 2, error);
    this.#spans.uint(3, code);
    this.#spans.end(mark);
  }

  #writeRemote(peerIsTag: boolean): void {
    const { remote } = this.#draft;
    const out = this.#spans;
    if (peerIsTag) boolAttribute(out, K.remote, !remote.empty);
    if (remote.empty) return;
    const address = remote.ipv4 >= 0 ? remote.ipv4 : remote.ipv6;
    const keys = peerIsTag ? REMOTE_KEYS : PEER_KEYS;
    if (remote.service >= 0) this.#textAttribute(out, 9, keys.service, remote.service);
    if (address >= 0) this.#textAttribute(out, 9, keys.address, address);
    if (remote.ipv4 >= 0 && remote.ipv6 >= 0) {
      this.#textAttribute(out, 9, keys.ipv6, remote.ipv6);
    }
    if (remote.port > 0) intAttribute(out, 9, keys.port, remote.port);
  }

  #textAttribute(out: ProtoWriter, field: number, key: Uint8Array, value: number): void {
    const mark = out.begin(field);
    out.bytes(1, key);
    this.#textValue(out, value);
    out.end(mark);
  }

  #textValue(out: ProtoWriter, value: number): void {
    const mark = out.begin(2);
    this.#text(out, 1, value);
    out.end(mark);
  }

  #prefixedKey(out: ProtoWriter, key: number): void {
    const { textOf, textFrom, textTo } = this.#draft;
    const tag = (textOf[key] as Uint8Array).subarray(textFrom[key], textTo[key]);
    out.bytes(1, Buffer.concat([K.tagPrefix, tag]));
  }

  #text(out: ProtoWriter, field: number, text: number): void {
    const { textOf, textFrom, textTo } = this.#draft;
    out.bytes(field, textOf[text] as Uint8Array, textFrom[text], textTo[text]);
  }
}

function isZero(id: Uint8Array): boolean {
  for (let i = 0; i < id.length; i++) if (id[i] !== 0) return false;
  return true;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
