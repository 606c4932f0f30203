// Zipkin v2 JSON to OTLP bytes in one pass: tokens in, fields out, no objects between. Rules of
// zipkin2.Span: ids in lower hex, null = absent, unknown keys skipped, a key that comes twice
// counts the last time.

import { doubleNumber } from '../otlp/json_scalar.ts';
import { JsonProblem, JsonScanner, NUMBER_CHARS_MAX } from '../otlp/json_scan.ts';
import { type Decoded, decoded, PARTS_PER_SPAN_MAX, SPANS_MAX, ZipkinProblem } from './decoded.ts';
import { readHexId } from './hex_id.ts';
import { ipv6Text, isIpv4, parseIpv6 } from './ip_text.ts';
import { isNullByte, isZeros, KIND_NAMES, keyOf, typeName } from './json_words.ts';
import { OtlpBatch } from './otlp_batch.ts';
import { type EndpointDraft, KIND, micros, NONE, SpanDraft } from './span_draft.ts';

/** `nowMicros` (Unix) is given to spans without any time. */
export function jsonV2ToOtlp(json: Uint8Array, nowMicros: number): Decoded {
  return decoded('json', () => new JsonV2(json, nowMicros).run());
}

/** Decimal digits that are read without a detour: all times in µs until the year 2286. */
const QUICK_DIGITS = 15;

const PORT_MAX = 0xffff;

/** An IP address in any spelling. */
const IP_CHARS_MAX = 64;

class JsonV2 {
  readonly #scan: JsonScanner;
  readonly #draft = new SpanDraft();
  readonly #batch: OtlpBatch;
  /** Where we are, for the message. */
  #span = 0;
  #place = '';

  constructor(json: Uint8Array, nowMicros: number) {
    this.#scan = new JsonScanner(json);
    this.#batch = new OtlpBatch(this.#draft, nowMicros, json.length);
  }

  run(): { bytes: Uint8Array<ArrayBuffer>; spans: number } {
    try {
      this.#list();
    } catch (error) {
      if (!(error instanceof JsonProblem)) throw error;
      throw new ZipkinProblem(`Malformed: ${error.message}`);
    }
    return { bytes: this.#batch.finish(), spans: this.#batch.spanCount };
  }

  #list(): void {
    const scan = this.#scan;
    if (scan.peek() === -1) return;
    if (scan.peek() !== 0x5b) throw new ZipkinProblem('Malformed');
    scan.expect(0x5b);
    if (!scan.took(0x5d)) {
      do {
        if (this.#batch.spanCount === SPANS_MAX) {
          throw new ZipkinProblem(`More than ${SPANS_MAX} spans: send smaller messages`);
        }
        this.#readSpan();
        this.#span += 1;
      } while (scan.took(0x2c));
      scan.expect(0x5d);
    }
    scan.end();
  }

  #readSpan(): void {
    const scan = this.#scan;
    const draft = this.#draft;
    draft.clear();
    this.#place = '';
    let ids = 0;
    if (scan.peek() !== 0x7b) this.#wrong('an object');
    scan.expect(0x7b);
    if (!scan.took(0x7d)) {
      do {
        scan.string();
        const key = keyOf(scan.text, scan.from, scan.to);
        scan.expect(0x3a);
        ids |= this.#field(key);
      } while (scan.took(0x2c));
      scan.expect(0x7d);
    }
    if (ids !== 3) {
      this.#place = '';
      throw new ZipkinProblem(
        `Missing : ${ids & 1 ? '' : 'traceId '}${ids & 2 ? '' : 'id '}`.trimEnd(),
      );
    }
    this.#batch.add();
  }

  /** 1 for a trace id, 2 for a span id, else 0. */
  #field(key: string): number {
    const draft = this.#draft;
    this.#place = key;
    switch (key) {
      case 'traceId':
        this.#id(draft.traceId, 'traceId');
        return 1;
      case 'id':
        this.#id(draft.spanId, 'id');
        return 2;
      case '':
        this.#scan.skip();
        return 0;
    }
    if (this.#isNull()) return 0;
    switch (key) {
      case 'parentId':
        this.#parentId();
        break;
      case 'kind':
        this.#kind();
        break;
      case 'name':
        draft.name = this.#textOrNone();
        break;
      case 'timestamp':
        draft.timestampMicros = micros(this.#long());
        break;
      case 'duration':
        draft.durationMicros = micros(this.#long());
        break;
      case 'localEndpoint':
        this.#endpoint(draft.local, key);
        break;
      case 'remoteEndpoint':
        this.#endpoint(draft.remote, key);
        break;
      case 'annotations':
        this.#annotations();
        break;
      case 'tags':
        this.#tags();
        break;
      case 'debug':
        draft.debug = this.#bool();
        break;
      case 'shared':
        draft.shared = this.#bool();
        break;
    }
    return 0;
  }

  #id(id: Uint8Array, name: string): void {
    const scan = this.#scan;
    this.#string();
    id.fill(0);
    readHexId(scan.text, scan.from, scan.to, id, name);
  }

  /** Zero means no parent. */
  #parentId(): void {
    const { text, from, to } = this.#string();
    const id = this.#draft.parentId.fill(0);
    if (to - from <= 16 && to > from && isZeros(text, from, to)) return;
    readHexId(text, from, to, id, 'parentId');
  }

  #kind(): void {
    const { text, from, to } = this.#string();
    const draft = this.#draft;
    const length = to - from;
    const first = text[from];
    if (length === 6 && first === 0x43) draft.kind = KIND.client;
    else if (length === 6 && first === 0x53) draft.kind = KIND.server;
    else if (length === 8 && first === 0x50) draft.kind = KIND.producer;
    else if (length === 8 && first === 0x43) draft.kind = KIND.consumer;
    else this.#wrong('CLIENT, SERVER, PRODUCER or CONSUMER');
    const name = KIND_NAMES[draft.kind] as string;
    for (let i = 0; i < length; i++) {
      if (text[from + i] !== name.charCodeAt(i)) {
        this.#wrong('CLIENT, SERVER, PRODUCER or CONSUMER');
      }
    }
  }

  #endpoint(endpoint: EndpointDraft, place: string): void {
    const scan = this.#scan;
    endpoint.clear();
    if (scan.peek() !== 0x7b) this.#wrong('an object');
    scan.expect(0x7b);
    if (scan.took(0x7d)) return;
    do {
      scan.string();
      const key = keyOf(scan.text, scan.from, scan.to);
      scan.expect(0x3a);
      this.#place = `${place}.${key}`;
      if (key === 'serviceName') endpoint.service = this.#isNull() ? NONE : this.#textOrNone();
      else if (key === 'ipv4' || key === 'ipv6') {
        if (!this.#isNull()) this.#ip(endpoint);
      } else if (key === 'port') {
        const port = this.#isNull() ? 0 : this.#long();
        if (port > PORT_MAX) throw new ZipkinProblem(`invalid port ${port}`);
        endpoint.port = Math.max(0, port);
      } else scan.skip();
    } while (scan.took(0x2c));
    scan.expect(0x7d);
  }

  #ip(endpoint: EndpointDraft): void {
    const { text, from, to } = this.#string();
    if (isIpv4(text, from, to)) {
      endpoint.ipv4 = this.#draft.text(text, from, to);
      return;
    }
    if (to - from > IP_CHARS_MAX) return;
    const address = parseIpv6(this.#scan.latin1());
    if (address === undefined) return;
    const canonical = ipv6Text(address);
    if ('ipv4' in canonical) endpoint.ipv4 = this.#ascii(canonical.ipv4);
    else endpoint.ipv6 = this.#ascii(canonical.ipv6);
  }

  #ascii(text: string): number {
    return this.#draft.text(Buffer.from(text, 'latin1'), 0, text.length);
  }

  #annotations(): void {
    const scan = this.#scan;
    this.#draft.annotationCount = 0;
    if (scan.peek() !== 0x5b) this.#wrong('an array');
    scan.expect(0x5b);
    if (scan.took(0x5d)) return;
    let index = 0;
    do this.#annotation(index++);
    while (scan.took(0x2c));
    scan.expect(0x5d);
  }

  #annotation(index: number): void {
    const scan = this.#scan;
    let time = Number.NaN;
    let value = NONE;
    if (index === PARTS_PER_SPAN_MAX) this.#tooMany('annotations');
    this.#place = `annotations[${index}]`;
    if (scan.peek() !== 0x7b) this.#wrong('an object');
    scan.expect(0x7b);
    if (!scan.took(0x7d)) {
      do {
        scan.string();
        const key = keyOf(scan.text, scan.from, scan.to);
        scan.expect(0x3a);
        if (key === 'timestamp') {
          this.#place = `annotations[${index}].timestamp`;
          time = micros(this.#long());
        } else if (key === 'value') {
          this.#place = `annotations[${index}].value`;
          value = this.#text();
        } else scan.skip();
      } while (scan.took(0x2c));
      scan.expect(0x7d);
    }
    if (Number.isNaN(time) || value < 0) {
      const what = Number.isNaN(time) ? 'value' : 'timestamp';
      throw new ZipkinProblem(
        `Incomplete annotation at $[${this.#span}].annotations[${index}].${what}`,
      );
    }
    this.#draft.annotation(time, value);
  }

  #tags(): void {
    const scan = this.#scan;
    const draft = this.#draft;
    if (scan.peek() !== 0x7b) this.#wrong('an object');
    scan.expect(0x7b);
    if (scan.took(0x7d)) return;
    do {
      scan.string();
      const key = draft.text(scan.text, scan.from, scan.to);
      scan.expect(0x3a);
      if (scan.peek() !== 0x22) this.#wrongTag(key);
      if (draft.tagCount === PARTS_PER_SPAN_MAX) this.#tooMany('tags');
      draft.tag(key, this.#text());
    } while (scan.took(0x2c));
    scan.expect(0x7d);
  }

  #wrongTag(key: number): never {
    const { textOf, textFrom, textTo } = this.#draft;
    const text = Buffer.from((textOf[key] as Uint8Array).subarray(textFrom[key], textTo[key]));
    const name = text.toString('latin1');
    this.#place = `tags.${/^[A-Za-z0-9_./-]{1,64}$/.test(name) ? name : '?'}`;
    if (isNullByte(this.#scan.peek())) throw new ZipkinProblem(`No value at ${this.#path()}`);
    this.#wrong('a string');
  }

  #text(): number {
    const { text, from, to } = this.#string();
    return this.#draft.text(text, from, to);
  }

  /** An empty name is none. */
  #textOrNone(): number {
    const { text, from, to } = this.#string();
    return to > from ? this.#draft.text(text, from, to) : NONE;
  }

  #string(): JsonScanner {
    const scan = this.#scan;
    if (scan.peek() !== 0x22) this.#wrong('a string');
    scan.string();
    return scan;
  }

  #bool(): boolean {
    const next = this.#scan.peek();
    if (next !== 0x74 && next !== 0x66) this.#wrong('a boolean');
    this.#scan.literal(next === 0x74 ? 'true' : 'false');
    return next === 0x74;
  }

  /** A whole number, or a string of one. Beyond 2^53 it is not exact, which nobody can notice. */
  #long(): number {
    const scan = this.#scan;
    const next = scan.peek();
    if (next === 0x22) scan.string();
    else if (next === 0x2d || (next >= 0x30 && next <= 0x39)) scan.number();
    else this.#wrong('a long');
    const { text, from, to } = scan;
    if (to - from > QUICK_DIGITS + 1 || to === from) return this.#oddLong();
    let value = 0;
    for (let i = from; i < to; i++) {
      const digit = (text[i] as number) - 0x30;
      if (digit < 0 || digit > 9) return this.#oddLong();
      value = value * 10 + digit;
    }
    return value;
  }

  #oddLong(): number {
    const scan = this.#scan;
    if (scan.to - scan.from > NUMBER_CHARS_MAX) this.#wrong('a long');
    const value = doubleNumber(scan.latin1());
    if (value === undefined || !Number.isInteger(value)) this.#wrong('a long');
    return value;
  }

  #isNull(): boolean {
    if (this.#scan.peek() !== 0x6e) return false;
    this.#scan.literal('null');
    return true;
  }

  #tooMany(what: string): never {
    throw new ZipkinProblem(`More than ${PARTS_PER_SPAN_MAX} ${what} at $[${this.#span}]`);
  }

  #wrong(expected: string): never {
    const found = typeName(this.#scan.peek());
    throw new ZipkinProblem(`Expected ${expected} but was ${found} at ${this.#path()}`);
  }

  #path(): string {
    return `$[${this.#span}]${this.#place === '' ? '' : `.${this.#place}`}`;
  }
}
