// One Zipkin span while it is read: a set of byte ranges, filled anew for every span, so that a
// batch of 10,000 spans allocates no more than a batch of one.

/** No text. */
export const NONE = -1;

/** OTLP SpanKind numbers of Zipkin's kinds. */
export const KIND = { none: 0, server: 2, client: 3, producer: 4, consumer: 5 } as const;

/** The largest time in µs that is exact in a double, in the year 2255; later ones are set to it. */
export const MICROS_MAX = Number.MAX_SAFE_INTEGER;

export class EndpointDraft {
  service = NONE;
  ipv4 = NONE;
  ipv6 = NONE;
  /** 0: none. */
  port = 0;

  get empty(): boolean {
    return this.service < 0 && this.ipv4 < 0 && this.ipv6 < 0 && this.port === 0;
  }

  clear(): void {
    this.service = NONE;
    this.ipv4 = NONE;
    this.ipv6 = NONE;
    this.port = 0;
  }
}

export class SpanDraft {
  /** Left-padded with zeros. */
  readonly traceId = new Uint8Array(16);
  readonly spanId = new Uint8Array(8);
  /** All zero: none. */
  readonly parentId = new Uint8Array(8);
  kind: number = KIND.none;
  name = NONE;
  /** 0: absent, as for Zipkin. */
  timestampMicros = 0;
  durationMicros = 0;
  debug = false;
  shared = false;
  readonly local = new EndpointDraft();
  readonly remote = new EndpointDraft();

  tagCount = 0;
  readonly tagKeys: number[] = [];
  readonly tagValues: number[] = [];
  annotationCount = 0;
  readonly annotationMicros: number[] = [];
  readonly annotationValues: number[] = [];

  /** The texts: `textOf[i].subarray(textFrom[i], textTo[i])` is text i. */
  readonly textOf: Uint8Array[] = [];
  readonly textFrom: number[] = [];
  readonly textTo: number[] = [];
  #texts = 0;

  /** Makes it the draft of the next span. */
  clear(): void {
    this.traceId.fill(0);
    this.spanId.fill(0);
    this.parentId.fill(0);
    this.kind = KIND.none;
    this.name = NONE;
    this.timestampMicros = 0;
    this.durationMicros = 0;
    this.debug = false;
    this.shared = false;
    this.local.clear();
    this.remote.clear();
    this.tagCount = 0;
    this.annotationCount = 0;
    this.#texts = 0;
  }

  /** Remembers a text, which must stay as it is until the span is emitted. Returns its number. */
  text(bytes: Uint8Array, from: number, to: number): number {
    const at = this.#texts++;
    this.textOf[at] = bytes;
    this.textFrom[at] = from;
    this.textTo[at] = to;
    return at;
  }

  tag(key: number, value: number): void {
    this.tagKeys[this.tagCount] = key;
    this.tagValues[this.tagCount] = value;
    this.tagCount += 1;
  }

  annotation(micros: number, value: number): void {
    this.annotationMicros[this.annotationCount] = micros;
    this.annotationValues[this.annotationCount] = value;
    this.annotationCount += 1;
  }
}

/** Zipkin takes negative times for absent ones. */
export function micros(value: number): number {
  return value > 0 ? Math.min(value, MICROS_MAX) : 0;
}
