// Zipkin v2 protobuf (zipkin.proto: ListOfSpans) to OTLP bytes, field by field.
//
//   ListOfSpans = { 1: Span }
//   Span        = { 1 trace_id, 2 parent_id, 3 id, 4 kind, 5 name, 6 timestamp:fixed64 µs,
//                   7 duration:uint64 µs, 8 local_endpoint, 9 remote_endpoint, 10 annotations,
//                   11 tags, 12 debug, 13 shared }
//   Endpoint    = { 1 service_name, 2 ipv4, 3 ipv6, 4 port }
//   Annotation  = { 1 timestamp:fixed64, 2 value }       tag = { 1 key, 2 value }

import { type Decoded, decoded, PARTS_PER_SPAN_MAX, SPANS_MAX, ZipkinProblem } from './decoded.ts';
import { ipv6Text, putIpv4 } from './ip_text.ts';
import { OtlpBatch } from './otlp_batch.ts';
import { type EndpointDraft, KIND, MICROS_MAX, micros, NONE, SpanDraft } from './span_draft.ts';

/** `nowMicros` (Unix) is given to spans without any time. */
export function proto3ToOtlp(bytes: Uint8Array, nowMicros: number): Decoded {
  return decoded('proto3', () => new Proto3(bytes, nowMicros).run());
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Zipkin's kinds by number: 0 unspecified, 1 CLIENT, 2 SERVER, 3 PRODUCER, 4 CONSUMER. */
const KINDS = [KIND.none, KIND.client, KIND.server, KIND.producer, KIND.consumer];

const PORT_MAX = 0xffff;

/** An IPv4 address in decimals. */
const IPV4_CHARS_MAX = 15;

class Proto3 {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #draft = new SpanDraft();
  readonly #batch: OtlpBatch;
  /** Addresses of the current span as text: local and remote. */
  readonly #addresses = new Uint8Array(2 * IPV4_CHARS_MAX);
  #at = 0;

  constructor(bytes: Uint8Array, nowMicros: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#batch = new OtlpBatch(this.#draft, nowMicros, bytes.length * 2);
  }

  run(): { bytes: Uint8Array<ArrayBuffer>; spans: number } {
    const end = this.#bytes.length;
    while (this.#at < end) {
      const tag = this.#tag(end);
      if (tag === ((1 << 3) | BYTES)) {
        if (this.#batch.spanCount === SPANS_MAX) {
          throw new ZipkinProblem(`More than ${SPANS_MAX} spans: send smaller messages`);
        }
        this.#span(this.#lengthEnd(end));
        // As Zipkin, for whom the list has nothing but messages, whatever their tag.
      } else this.#at = this.#lengthEnd(end);
    }
    return { bytes: this.#batch.finish(), spans: this.#batch.spanCount };
  }

  #span(end: number): void {
    const draft = this.#draft;
    draft.clear();
    while (this.#at < end) this.#field(this.#tag(end), end);
    const missing = (isZero(draft.traceId) ? ' traceId' : '') + (isZero(draft.spanId) ? ' id' : '');
    if (missing !== '') throw new ZipkinProblem(`Missing :${missing}`);
    this.#batch.add();
  }

  #field(tag: number, end: number): void {
    const draft = this.#draft;
    switch (tag) {
      case (1 << 3) | BYTES:
        this.#id(draft.traceId, 'traceId', this.#lengthEnd(end));
        break;
      case (2 << 3) | BYTES:
        this.#id(draft.parentId, 'parentId', this.#lengthEnd(end));
        break;
      case (3 << 3) | BYTES:
        this.#id(draft.spanId, 'id', this.#lengthEnd(end));
        break;
      case (4 << 3) | VARINT:
        draft.kind = KINDS[this.#varint(end)] ?? KIND.none;
        break;
      case (5 << 3) | BYTES:
        draft.name = this.#text(end);
        break;
      case (6 << 3) | FIXED64:
        draft.timestampMicros = this.#fixed64(end);
        break;
      case (7 << 3) | VARINT:
        draft.durationMicros = micros(this.#varint(end));
        break;
      case (8 << 3) | BYTES:
        this.#endpoint(draft.local, 0, this.#lengthEnd(end));
        break;
      case (9 << 3) | BYTES:
        this.#endpoint(draft.remote, IPV4_CHARS_MAX, this.#lengthEnd(end));
        break;
      case (10 << 3) | BYTES:
        this.#annotation(this.#lengthEnd(end));
        break;
      case (11 << 3) | BYTES:
        this.#tagEntry(this.#lengthEnd(end));
        break;
      case (12 << 3) | VARINT:
        draft.debug = this.#varint(end) !== 0;
        break;
      case (13 << 3) | VARINT:
        draft.shared = this.#varint(end) !== 0;
        break;
      default:
        this.#skip(tag, end);
    }
  }

  /** Shorter ids are padded, as their hex would be. */
  #id(id: Uint8Array, name: string, end: number): void {
    const length = end - this.#at;
    if (length > id.length) throw new ZipkinProblem(`${name}.length > ${id.length * 2}`);
    id.fill(0);
    for (let i = id.length - length; i < id.length; i++) {
      id[i] = this.#bytes[this.#at++] as number;
    }
  }

  #endpoint(endpoint: EndpointDraft, scratch: number, end: number): void {
    endpoint.clear();
    while (this.#at < end) {
      const tag = this.#tag(end);
      if (tag === ((1 << 3) | BYTES)) endpoint.service = this.#text(end);
      else if (tag === ((2 << 3) | BYTES)) this.#ipv4(endpoint, scratch, this.#lengthEnd(end));
      else if (tag === ((3 << 3) | BYTES)) this.#ipv6(endpoint, this.#lengthEnd(end));
      else if (tag === ((4 << 3) | VARINT)) {
        const port = this.#varint(end);
        // An int32 below zero comes as 64 bits, and means none.
        if (port > PORT_MAX && port < 2 ** 31) throw new ZipkinProblem(`invalid port ${port}`);
        endpoint.port = port > PORT_MAX ? 0 : port;
      } else this.#skip(tag, end);
    }
  }

  #ipv4(endpoint: EndpointDraft, scratch: number, end: number): void {
    if (end - this.#at === 4) {
      const to = putIpv4(this.#addresses, scratch, this.#bytes, this.#at);
      endpoint.ipv4 = this.#draft.text(this.#addresses, scratch, to);
    }
    this.#at = end;
  }

  #ipv6(endpoint: EndpointDraft, end: number): void {
    const ip = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    if (ip.length !== 16) return;
    const canonical = ipv6Text(ip);
    const text = Buffer.from('ipv4' in canonical ? canonical.ipv4 : canonical.ipv6, 'latin1');
    const number = this.#draft.text(text, 0, text.length);
    if ('ipv4' in canonical) endpoint.ipv4 = number;
    else endpoint.ipv6 = number;
  }

  /** One without a time or value is dropped, as by Zipkin. */
  #annotation(end: number): void {
    let time = 0;
    let value = NONE;
    while (this.#at < end) {
      const tag = this.#tag(end);
      if (tag === ((1 << 3) | FIXED64)) time = this.#fixed64(end);
      else if (tag === ((2 << 3) | BYTES)) value = this.#text(end);
      else this.#skip(tag, end);
    }
    if (time === 0 || value < 0) return;
    if (this.#draft.annotationCount === PARTS_PER_SPAN_MAX) {
      throw new ZipkinProblem(`More than ${PARTS_PER_SPAN_MAX} annotations in a span`);
    }
    this.#draft.annotation(time, value);
  }

  #tagEntry(end: number): void {
    let key = NONE;
    let value = NONE;
    while (this.#at < end) {
      const tag = this.#tag(end);
      if (tag === ((1 << 3) | BYTES)) key = this.#text(end);
      else if (tag === ((2 << 3) | BYTES)) value = this.#text(end);
      else this.#skip(tag, end);
    }
    const draft = this.#draft;
    if (key < 0) return;
    if (draft.tagCount === PARTS_PER_SPAN_MAX) {
      throw new ZipkinProblem(`More than ${PARTS_PER_SPAN_MAX} tags in a span`);
    }
    draft.tag(key, value >= 0 ? value : draft.text(this.#bytes, 0, 0));
  }

  /** NONE where it is empty, but for tags, which may be. */
  #text(end: number): number {
    const to = this.#lengthEnd(end);
    const from = this.#at;
    this.#at = to;
    return to > from ? this.#draft.text(this.#bytes, from, to) : NONE;
  }

  #tag(end: number): number {
    const tag = this.#varint(end);
    if (tag >= 8 && tag < 2 ** 32) return tag;
    throw new ZipkinProblem('Malformed: a field number was expected');
  }

  /** Where the length-delimited value that begins here ends. */
  #lengthEnd(end: number): number {
    const length = this.#varint(end);
    if (length > end - this.#at) throw truncated(length, end - this.#at);
    return this.#at + length;
  }

  #fixed64(end: number): number {
    if (end - this.#at < 8) throw truncated(8, end - this.#at);
    const low = this.#view.getUint32(this.#at, true);
    const high = this.#view.getUint32(this.#at + 4, true);
    this.#at += 8;
    // A long to Zipkin: above 2^63 it is negative, which is none.
    return high >= 2 ** 31 ? 0 : Math.min(high * 2 ** 32 + low, MICROS_MAX);
  }

  /** Any varint as a number: exact below 2^53, as all that we use is. Above 2^63 it is negative. */
  #varint(end: number): number {
    const bytes = this.#bytes;
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 10; i++) {
      if (this.#at >= end) throw truncated(1, 0);
      const byte = bytes[this.#at++] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value < 2 ** 63 ? value : value - 2 ** 64;
      factor *= 128;
    }
    throw new ZipkinProblem('Malformed: a varint of more than 10 bytes');
  }

  #skip(tag: number, end: number): void {
    const wire = tag % 8;
    if (wire === VARINT) this.#varint(end);
    else if (wire === BYTES) this.#at = this.#lengthEnd(end);
    else if (wire === FIXED64 || wire === FIXED32) {
      const size = wire === FIXED64 ? 8 : 4;
      if (size > end - this.#at) throw truncated(size, end - this.#at);
      this.#at += size;
    } else throw new ZipkinProblem(`Malformed: invalid wireType ${wire}`);
  }
}

function truncated(length: number, available: number): ZipkinProblem {
  return new ZipkinProblem(`Truncated: length ${length} > bytes available ${available}`);
}

function isZero(id: Uint8Array): boolean {
  for (let i = 0; i < id.length; i++) if (id[i] !== 0) return false;
  return true;
}
