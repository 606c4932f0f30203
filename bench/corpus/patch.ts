// Makes a request new without encoding it again: ids and times have fixed width on the wire, so
// they are changed where they stand. Without this, every second sending would be a duplicate, and
// soon too old.

import { WireReader } from '../../model/codec/otlp/wire_reader.ts';

/** A request and the places in it that must differ on every send. */
export interface Template {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly spans: number;
  /** Offsets of 16-byte trace ids. */
  readonly traceIds: Uint32Array;
  /** Offsets of 8-byte span ids, parents' and links' too. */
  readonly spanIds: Uint32Array;
  /** Offsets of fixed64 times, and the nanoseconds since the corpus' start that each stands for. */
  readonly times: Uint32Array;
  readonly sinceStartNanos: Float64Array;
}

/** What one pass over a corpus adds; spans of a trace in several requests need the same one. */
export interface Pass {
  readonly idSalt: bigint;
  readonly startUnixNanos: bigint;
}

/** Reads where ids and times stand. `corpusStartUnixNanos`: none of its times is before. */
export function findPlaces(bytes: Uint8Array, corpusStartUnixNanos: bigint): Template {
  const copy = new Uint8Array(bytes);
  const places = new Places(copy, corpusStartUnixNanos);
  const request = new WireReader(copy);
  while (request.next()) readResourceSpans(request.message(), places);
  return {
    bytes: copy,
    spans: places.spans,
    traceIds: Uint32Array.from(places.traceIds),
    spanIds: Uint32Array.from(places.spanIds),
    times: Uint32Array.from(places.times),
    sinceStartNanos: Float64Array.from(places.sinceStartNanos),
  };
}

/** In place; `previous` is the pass that the bytes hold, undefined for the corpus as generated. */
export function patch(template: Template, previous: Pass | undefined, next: Pass): void {
  const { bytes } = template;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flip = (previous?.idSalt ?? 0n) ^ next.idSalt;
  const flipLow = Number(flip & 0xffff_ffffn);
  const flipHigh = Number((flip >> 32n) & 0xffff_ffffn);
  for (const at of template.traceIds) {
    flip32(view, at, flipLow);
    flip32(view, at + 4, flipHigh);
    flip32(view, at + 8, flipHigh);
    flip32(view, at + 12, flipLow);
  }
  for (const at of template.spanIds) {
    flip32(view, at, flipHigh);
    flip32(view, at + 4, flipLow);
  }
  const startLow = Number(next.startUnixNanos & 0xffff_ffffn);
  const startHigh = Number(next.startUnixNanos >> 32n);
  template.times.forEach((at, i) => {
    const since = template.sinceStartNanos[i]!;
    const low = startLow + (since % 2 ** 32);
    const carry = low >= 2 ** 32 ? 1 : 0;
    view.setUint32(at, low - carry * 2 ** 32, true);
    view.setUint32(at + 4, startHigh + Math.floor(since / 2 ** 32) + carry, true);
  });
}

function flip32(view: DataView, at: number, bits: number): void {
  view.setUint32(at, view.getUint32(at, true) ^ bits, true);
}

class Places {
  spans = 0;
  readonly traceIds: number[] = [];
  readonly spanIds: number[] = [];
  readonly times: number[] = [];
  readonly sinceStartNanos: number[] = [];
  readonly #whole: Uint8Array;
  readonly #start: bigint;

  constructor(whole: Uint8Array, startUnixNanos: bigint) {
    this.#whole = whole;
    this.#start = startUnixNanos;
  }

  id(id: Uint8Array): void {
    const list = id.length === 16 ? this.traceIds : this.spanIds;
    list.push(id.byteOffset - this.#whole.byteOffset);
  }

  /** A fixed64 that the reader has just passed: WireReader gives values, not places. */
  time(unixNanos: bigint, message: Uint8Array, from: number): number {
    const needle = Buffer.alloc(8);
    needle.writeBigUInt64LE(unixNanos);
    const inMessage = Buffer.from(message.buffer, message.byteOffset, message.length);
    const found = inMessage.indexOf(needle, from);
    if (found === -1) throw new Error('Expected a time of the corpus in its own message.');
    this.times.push(message.byteOffset - this.#whole.byteOffset + found);
    this.sinceStartNanos.push(Number(unixNanos - this.#start));
    return found + 8;
  }
}

function readResourceSpans(resourceSpans: WireReader, places: Places): void {
  while (resourceSpans.next()) {
    if (resourceSpans.field !== 2) {
      resourceSpans.skip();
      continue;
    }
    const scopeSpans = resourceSpans.message();
    while (scopeSpans.next()) {
      if (scopeSpans.field === 2) readSpan(scopeSpans.bytes(), places);
      else scopeSpans.skip();
    }
  }
}

function readSpan(message: Uint8Array, places: Places): void {
  places.spans++;
  const span = new WireReader(message);
  let from = 0;
  while (span.next()) {
    if (span.field === 1 || span.field === 2 || span.field === 4) places.id(span.bytes());
    else if (span.field === 7 || span.field === 8) {
      from = places.time(span.fixed64(), message, from);
    } else if (span.field === 11) readEvent(span.bytes(), places);
    else if (span.field === 13) readLink(span.bytes(), places);
    else span.skip();
  }
}

function readEvent(message: Uint8Array, places: Places): void {
  const event = new WireReader(message);
  while (event.next()) {
    if (event.field === 1) places.time(event.fixed64(), message, 0);
    else event.skip();
  }
}

function readLink(message: Uint8Array, places: Places): void {
  const link = new WireReader(message);
  while (link.next()) {
    if (link.field === 1 || link.field === 2) places.id(link.bytes());
    else link.skip();
  }
}
