// One ExportTraceServiceRequest into several, each a valid request of its own below a bound, cut
// between spans and without decoding them: a Kafka broker takes no message of 64 MiB.
//
// ExportTraceServiceRequest { 1 ResourceSpans { 2 ScopeSpans { 2 Span } } }: every other field of a
// ResourceSpans or ScopeSpans is its head, and is repeated in each part that has spans of it.

const RESOURCE_SPANS_TAG = 0x0a;
const SCOPE_SPANS_TAG = 0x12;
const SPANS_TAG = 0x12;

/**
 * Heads over this share of a part would be repeated for a few spans each: 64 MiB could become
 * gigabytes. Spans under such a head are left out; at half a part, parts hold at most some four
 * times the bytes that came.
 */
const HEAD_SHARE_MAX = 0.5;

/** A tag and a length, of a message within a part: two varints. */
const ENVELOPE_BYTES = 1 + 5;

/** What could not be cut is not in the parts. */
export interface SplitPart {
  readonly bytes: Uint8Array;
  /** Spans in it, also those that a check would reject. */
  readonly spans: number;
}

/**
 * Yields parts of at most `bytesMax` bytes, in the order of the request; together they have every
 * span that fits into a part with its resource and scope, each once. A part is made when it is
 * asked for, so that few are in memory at once. `request` must have passed the check; throws
 * RangeError where it is no well-formed request.
 */
export function* splitRequest(request: Uint8Array, bytesMax: number): Generator<SplitPart> {
  const part = new Part(bytesMax);
  for (const resourceSpans of fieldsOf(request, 0, request.length)) {
    if (resourceSpans.tag !== RESOURCE_SPANS_TAG) continue;
    const resource = headAndBody(request, resourceSpans, SCOPE_SPANS_TAG);
    for (const scopeSpans of resource.body) {
      const scope = headAndBody(request, scopeSpans, SPANS_TAG);
      const headBytes = resource.headBytes + scope.headBytes;
      if (headBytes > bytesMax * HEAD_SHARE_MAX) continue;
      for (const span of scope.body) {
        if (!part.couldHold(headBytes, span)) continue;
        if (!part.fits(resource, scope, span)) yield part.take(request);
        part.add(resource, scope, span);
      }
    }
  }
  if (part.spans > 0) yield part.take(request);
}

/** A field as it lies in the request: tag and all from `at`, its content from `from`, to `end`. */
interface Field {
  readonly tag: number;
  readonly at: number;
  readonly from: number;
  readonly end: number;
}

interface Split {
  readonly head: readonly Field[];
  readonly headBytes: number;
  readonly body: readonly Field[];
}

interface ScopePart {
  readonly scope: Split;
  readonly spans: Field[];
  bytes: number;
}

interface ResourcePart {
  readonly resource: Split;
  readonly scopes: ScopePart[];
  bytes: number;
}

/** Gathers fields, and copies them when it is full. Sizes count every envelope at its largest. */
class Part {
  readonly #bytesMax: number;
  #resources: ResourcePart[] = [];
  #bytes = 0;
  #spans = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get spans(): number {
    return this.#spans;
  }

  couldHold(headBytes: number, span: Field): boolean {
    return headBytes + 2 * ENVELOPE_BYTES + span.end - span.at <= this.#bytesMax;
  }

  /** Always true when empty: see couldHold. */
  fits(resource: Split, scope: Split, span: Field): boolean {
    return this.#spans === 0 || this.#bytes + this.#cost(resource, scope, span) <= this.#bytesMax;
  }

  add(resource: Split, scope: Split, span: Field): void {
    this.#bytes += this.#cost(resource, scope, span);
    this.#spans++;
    let last = this.#resources.at(-1);
    if (last?.resource !== resource) {
      last = { resource, scopes: [], bytes: resource.headBytes };
      this.#resources.push(last);
    }
    let inner = last.scopes.at(-1);
    if (inner?.scope !== scope) {
      inner = { scope, spans: [], bytes: scope.headBytes };
      last.scopes.push(inner);
    }
    inner.spans.push(span);
    inner.bytes += span.end - span.at;
  }

  #cost(resource: Split, scope: Split, span: Field): number {
    const last = this.#resources.at(-1);
    const spanBytes = span.end - span.at;
    if (last?.resource !== resource) {
      return resource.headBytes + scope.headBytes + 2 * ENVELOPE_BYTES + spanBytes;
    }
    if (last.scopes.at(-1)?.scope !== scope) return scope.headBytes + ENVELOPE_BYTES + spanBytes;
    return spanBytes;
  }

  /** The part as a request; empties it. */
  take(request: Uint8Array): SplitPart {
    const out = new Uint8Array(this.#bytes);
    let at = 0;
    const copy = (field: Field): void => {
      out.set(request.subarray(field.at, field.end), at);
      at += field.end - field.at;
    };
    for (const { resource, scopes, bytes } of this.#resources) {
      const inner = scopes.reduce((sum, one) => sum + 1 + varintBytes(one.bytes) + one.bytes, 0);
      at = writeEnvelope(out, at, RESOURCE_SPANS_TAG, bytes + inner);
      resource.head.forEach(copy);
      for (const { scope, spans, bytes: scopeBytes } of scopes) {
        at = writeEnvelope(out, at, SCOPE_SPANS_TAG, scopeBytes);
        scope.head.forEach(copy);
        spans.forEach(copy);
      }
    }
    const part = { bytes: out.subarray(0, at), spans: this.#spans };
    this.#resources = [];
    this.#bytes = 0;
    this.#spans = 0;
    return part;
  }
}

function headAndBody(bytes: Uint8Array, message: Field, bodyTag: number): Split {
  const head: Field[] = [];
  const body: Field[] = [];
  for (const field of fieldsOf(bytes, message.from, message.end)) {
    (field.tag === bodyTag ? body : head).push(field);
  }
  return { head, headBytes: head.reduce((sum, { at, end }) => sum + end - at, 0), body };
}

/** README.md, "Reading protobuf": wire types 0, 1, 2 and 5, tags and lengths of five bytes. */
function* fieldsOf(bytes: Uint8Array, start: number, end: number): Generator<Field> {
  const place = { at: start, end };
  while (place.at < end) {
    const at = place.at;
    const tag = readVarint(bytes, place, 5);
    const from = skipTo(bytes, place, tag & 7);
    yield { tag, at, from, end: place.at };
  }
}

interface Place {
  at: number;
  readonly end: number;
}

/** Moves past the field's content; answers where that begins. */
function skipTo(bytes: Uint8Array, place: Place, wireType: number): number {
  let from = place.at;
  if (wireType === 2) {
    const length = readVarint(bytes, place, 5);
    from = place.at;
    place.at += length;
  } else if (wireType === 0) readVarint(bytes, place, 10);
  else if (wireType === 1) place.at += 8;
  else if (wireType === 5) place.at += 4;
  else throw new RangeError('expected a request that has been checked, got an unknown wire type');
  if (place.at > place.end) throw new RangeError('expected a request that has been checked');
  return from;
}

/** Exact up to 2^53, which no tag or length passes; a longer value is only skipped. */
function readVarint(bytes: Uint8Array, place: Place, bytesMax: number): number {
  let value = 0;
  let factor = 1;
  for (let i = 0; i < bytesMax && place.at < place.end; i++) {
    const byte = bytes[place.at++] as number;
    value += (byte & 127) * factor;
    factor *= 128;
    if (byte < 128) return value;
  }
  throw new RangeError('expected a request that has been checked, got a varint without an end');
}

function varintBytes(value: number): number {
  return value < 2 ** 7 ? 1 : value < 2 ** 14 ? 2 : value < 2 ** 21 ? 3 : value < 2 ** 28 ? 4 : 5;
}

function writeEnvelope(out: Uint8Array, start: number, tag: number, length: number): number {
  let at = start;
  out[at++] = tag;
  let rest = length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out[at++] = (rest % 128) | 128;
  out[at++] = rest;
  return at;
}
