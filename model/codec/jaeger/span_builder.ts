// One Jaeger span becoming one OTLP Span message, part by part in any order: both readers (Thrift,
// protobuf) call this. It keeps places in the source and a few numbers; nothing is made per tag.
//
// Field numbers of Span: 1 trace id, 2 span id, 3 trace state, 4 parent, 5 name, 6 kind, 7 start,
// 8 end, 9 attributes, 11 events, 13 links, 14 dropped links, 15 status, 16 flags.
// Of Event: 1 time, 2 name, 3 attributes. Of Status: 2 message, 3 code.

import { ProtoWriter } from '../otlp/proto_writer.ts';
import { HeldTags } from './held_tags.ts';
import { isZero, Links } from './links.ts';
import { add, nanos } from './nanos.ts';
import { checkSize } from './problem.ts';
import {
  ERROR,
  equals,
  HTTP_STATUS_CODE,
  HTTP_STATUS_MESSAGE,
  KIND,
  kindOf,
  LIBRARY_NAME,
  NONE,
  PLACES,
  placeOf,
  SCOPE_NAME,
  SCOPE_VERSION,
  STATUS_CODE,
  STATUS_MESSAGE,
  statusOf,
  TRACE_STATE,
} from './special_tags.ts';
import { BOOL, INT64, STRING, Tag, writeTag, writeText } from './tag.ts';

const ATTRIBUTES = 9;

/** Jaeger's flags have room for more than the eight that OTLP takes from W3C. */
const FLAGS_MASK = 0xff;

const utf8 = new TextEncoder();
const EVENT = utf8.encode('event');
const TRUE = utf8.encode('true');
const JAEGER_FLAGS = utf8.encode('jaeger.flags');
const JAEGER_WARNING = utf8.encode('jaeger.warning');

export class SpanBuilder {
  readonly out = new ProtoWriter(4096);
  /** Trace id (16 bytes), span id (8), parent id (8), as they go on the wire. */
  readonly ids: Buffer = Buffer.alloc(32);
  readonly links = new Links();
  readonly held = new HeldTags();
  /** To be filled and handed to `tag` or `field`. */
  readonly current = new Tag();
  /** For the tags of a process, which is read when the span's own ones are done. */
  readonly processTag = new Tag();
  nameStart = 0;
  nameEnd = 0;
  source: Uint8Array = new Uint8Array(0);
  readonly #bytesMax: number;
  readonly #traceId = this.ids.subarray(0, 16);
  readonly #parentId = this.ids.subarray(24, 32);
  #startHigh = 0;
  #startLow = 0;
  #durationHigh = 0;
  #durationLow = 0;
  #flags = 0;
  /** From `http.status_code`: 0 when there is none. */
  #httpStatus = 0;
  #httpMessageStart = 0;
  #httpMessageEnd = 0;
  /** error=false, or error='true': says something, and stays an attribute. */
  #explicitError: boolean | undefined;
  /** `otel.library.name` and `.version`, from before scopes were called so: as `scopeRanges`. */
  readonly #library = new Int32Array(4);
  #event = 0;
  #eventNameStart = 0;
  #eventNameEnd = 0;
  #eventName: 'none' | 'seen' | 'held' | 'kept' = 'none';

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  begin(source: Uint8Array): void {
    this.source = source;
    this.out.reset();
    // By hand: a call into the engine costs more than 32 bytes.
    for (let i = 0; i < this.ids.length; i++) this.ids[i] = 0;
    this.links.clear();
    this.held.clear();
    this.nameStart = 0;
    this.nameEnd = 0;
    this.#startHigh = 0;
    this.#startLow = 0;
    this.#durationHigh = 0;
    this.#durationLow = 0;
    this.#flags = 0;
    this.#httpStatus = 0;
    this.#httpMessageStart = 0;
    this.#httpMessageEnd = 0;
    this.#explicitError = undefined;
    for (let i = 0; i < this.#library.length; i++) this.#library[i] = 0;
  }

  /** Takes the last result of nanos.ts. */
  start(): void {
    this.#startHigh = nanos.high;
    this.#startLow = nanos.low;
  }

  /** Takes the last result of nanos.ts. */
  duration(): void {
    this.#durationHigh = nanos.high;
    this.#durationLow = nanos.low;
  }

  /** int32 or uint32. */
  flags(value: number): void {
    this.#flags = value;
  }

  /** Adds `current` as a tag of the span. */
  tag(): void {
    const tag = this.current;
    const place = placeOf(this.source, tag.keyStart, tag.keyEnd);
    if (place !== NONE && this.#isHeld(place, tag)) return;
    writeTag(this.out, ATTRIBUTES, this.source, tag);
    checkSize(this.out.length, this.#bytesMax);
  }

  warning(start: number, end: number): void {
    writeText(this.out, ATTRIBUTES, JAEGER_WARNING, this.source.subarray(start, end));
    checkSize(this.out.length, this.#bytesMax);
  }

  beginLog(): void {
    this.#event = this.out.begin(11);
    this.#eventName = 'none';
  }

  /** Adds `current` as a field of the log. */
  field(): void {
    const tag = this.current;
    if (equals(EVENT, this.source, tag.keyStart, tag.keyEnd) && this.#isEventName(tag)) return;
    writeTag(this.out, 3, this.source, tag);
    checkSize(this.out.length, this.#bytesMax);
  }

  /** The log's time, as halves of Unix nanoseconds. */
  endLog(high: number, low: number): void {
    this.out.fixed64Words(1, low, high);
    if (this.#eventName === 'held' || this.#eventName === 'kept') {
      this.out.bytes(2, this.source, this.#eventNameStart, this.#eventNameEnd);
    }
    this.out.end(this.#event);
    checkSize(this.out.length, this.#bytesMax);
  }

  /** All but the ids, which the reader may have to send as they came. */
  finish(writeIds: (out: ProtoWriter, ids: Buffer) => void): void {
    const { out, source } = this;
    this.links.takeParent(this.#traceId, this.#parentId);
    writeIds(out, this.ids);
    if (!isZero(this.#parentId)) out.bytes(4, this.#parentId);
    if (this.nameEnd > this.nameStart) out.bytes(5, source, this.nameStart, this.nameEnd);
    out.fixed64Words(7, this.#startLow, this.#startHigh);
    nanos.high = this.#startHigh;
    nanos.low = this.#startLow;
    add(this.#durationHigh, this.#durationLow);
    out.fixed64Words(8, nanos.low, nanos.high);
    const kind = this.#kind();
    if (kind !== 0) out.uint(6, kind);
    this.#writeStatus(kind);
    if (this.held.has(TRACE_STATE)) this.#writeHeld(3, TRACE_STATE);
    this.links.write(out, 13);
    if (this.links.dropped > 0) out.uint(14, this.links.dropped);
    this.#writeFlags();
    checkSize(out.length, this.#bytesMax);
  }

  #isHeld(place: number, tag: Tag): boolean {
    const { held, source, out } = this;
    if (place >= PLACES) {
      this.#note(place, tag);
      return false;
    }
    if (place === ERROR) this.#noteError(tag);
    if (this.#fits(place, tag)) return held.hold(place, tag, out, ATTRIBUTES, source);
    held.see(place, out, ATTRIBUTES, source);
    return false;
  }

  /** Whether OTLP has room for the value there. An empty text would be no text at all. */
  #fits(place: number, tag: Tag): boolean {
    if (place === ERROR) return tag.type === BOOL && tag.bool;
    if (tag.type !== STRING || tag.start === tag.end) return false;
    if (place === KIND) return kindOf(this.source, tag.start, tag.end) !== 0;
    return place !== STATUS_CODE || statusOf(this.source, tag.start, tag.end) !== 0;
  }

  #note(place: number, tag: Tag): void {
    if (place === HTTP_STATUS_CODE) this.#httpStatus = httpStatus(this.source, tag);
    else if (tag.type !== STRING) return;
    else if (place === HTTP_STATUS_MESSAGE) {
      this.#httpMessageStart = tag.start;
      this.#httpMessageEnd = tag.end;
    } else this.#library.set([tag.start, tag.end], (place - LIBRARY_NAME) * 2);
  }

  /** Jaeger's UI takes the text `true` for an error too. */
  #noteError(tag: Tag): void {
    if (tag.type === BOOL && !tag.bool) this.#explicitError ??= false;
    if (tag.type === STRING && equals(TRUE, this.source, tag.start, tag.end)) {
      this.#explicitError = true;
    }
  }

  #kind(): number {
    const { held } = this;
    return held.has(KIND) ? kindOf(this.source, held.start(KIND), held.end(KIND)) : 0;
  }

  #writeStatus(kind: number): void {
    const { held, out, source } = this;
    const stated = held.has(STATUS_CODE)
      ? statusOf(source, held.start(STATUS_CODE), held.end(STATUS_CODE))
      : 0;
    const isError = held.has(ERROR) || this.#explicitError === true;
    // Both were sent and they differ: the status says error, the tag keeps what else was said.
    if (isError && stated === 1) held.keep(STATUS_CODE, out, ATTRIBUTES, source);
    const code = isError ? 2 : stated || this.#statusOfHttp(kind);
    if (code !== 2) held.keep(STATUS_MESSAGE, out, ATTRIBUTES, source);
    if (code === 0) return;
    const status = out.begin(15);
    if (code === 2 && held.has(STATUS_MESSAGE)) this.#writeHeld(2, STATUS_MESSAGE);
    else if (code === 2 && this.#httpMessageEnd > this.#httpMessageStart) {
      out.bytes(2, source, this.#httpMessageStart, this.#httpMessageEnd);
    }
    out.uint(3, code);
    out.end(status);
  }

  /** The OpenTelemetry convention: 5xx is an error, 4xx is one to the client only. */
  #statusOfHttp(kind: number): number {
    if (this.#explicitError === false) return 0;
    const clientKind = 3;
    const least = kind === clientKind ? 400 : 500;
    return this.#httpStatus >= least && this.#httpStatus < 600 ? 2 : 0;
  }

  #writeHeld(field: number, place: number): void {
    this.out.bytes(field, this.source, this.held.start(place), this.held.end(place));
  }

  #writeFlags(): void {
    const flags = this.#flags;
    if ((flags & FLAGS_MASK) !== 0) this.out.fixed32(16, flags & FLAGS_MASK);
    if ((flags & ~FLAGS_MASK) === 0) return;
    const attribute = this.out.begin(ATTRIBUTES);
    this.out.bytes(1, JAEGER_FLAGS);
    const value = this.out.begin(2);
    this.out.intOf(3, flags < 0 ? -1 : 0, flags | 0);
    this.out.end(value);
    this.out.end(attribute);
  }

  /** Whether a field `event` is the event's name and nothing else. */
  #isEventName(tag: Tag): boolean {
    const isFirst = this.#eventName === 'none';
    const fits = tag.type === STRING && tag.end > tag.start;
    if (this.#eventName === 'held') this.#keepEventName();
    if (fits && this.#eventName !== 'kept') {
      this.#eventNameStart = tag.start;
      this.#eventNameEnd = tag.end;
      this.#eventName = isFirst ? 'held' : 'kept';
    } else if (isFirst) this.#eventName = 'seen';
    return isFirst && fits;
  }

  /** A second `event`: both are attributes, the first one is the name as well. */
  #keepEventName(): void {
    this.#eventName = 'kept';
    writeText(this.out, 3, EVENT, this.source.subarray(this.#eventNameStart, this.#eventNameEnd));
  }

  /** Start and end of the scope's name and of its version in the source; empty when not sent. */
  scopeRanges(into: Int32Array): void {
    into.set(this.#library);
    this.#scopeRange(SCOPE_NAME, into, 0);
    this.#scopeRange(SCOPE_VERSION, into, 2);
  }

  #scopeRange(place: number, into: Int32Array, at: number): void {
    if (!this.held.has(place)) return;
    into[at] = this.held.start(place);
    into[at + 1] = this.held.end(place);
  }
}

/** A number, or a text of three digits, as some clients have it. */
function httpStatus(source: Uint8Array, tag: Tag): number {
  if (tag.type === INT64) return tag.high === 0 ? tag.low : 0;
  if (tag.type !== STRING) return Number.isInteger(tag.double) ? tag.double : 0;
  if (tag.end - tag.start !== 3) return 0;
  let status = 0;
  for (let i = tag.start; i < tag.end; i++) {
    const digit = (source[i] as number) - 0x30;
    if (digit < 0 || digit > 9) return 0;
    status = status * 10 + digit;
  }
  return status;
}
