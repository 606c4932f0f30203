// What latency analysis knows of spans: ids, times, names and kinds, as columns over many traces.
// An object a span would take ten times the memory, most of it the garbage collector's to walk.

/** Spans of many traces, each once by identity, those of a trace next to each other. */
export interface Skeletons {
  /** Of each trace: the two halves of its id. */
  readonly traceHigh: BigUint64Array;
  readonly traceLow: BigUint64Array;
  /** The spans of trace t are rows `t === 0 ? 0 : ends[t - 1]` to, not including, `ends[t]`. */
  readonly ends: Uint32Array;
  readonly rows: SkeletonRows;
  /** What `service` and `name` number. */
  readonly texts: Texts;
}

/** Columns of one length. Within a trace of Skeletons: by start, then span id, kind and h. */
export interface SkeletonRows {
  readonly spanId: BigUint64Array;
  /** 0 for a root. */
  readonly parentId: BigUint64Array;
  /** Hash of the span's content: two spans of one id and kind are one only where this is equal. */
  readonly h: Uint32Array;
  readonly startUnixNanos: BigInt64Array;
  /** May be negative, as sent. */
  readonly durationNanos: BigInt64Array;
  readonly service: Uint32Array;
  readonly name: Uint32Array;
  /** OTLP SpanKind and StatusCode. */
  readonly kind: Uint8Array;
  readonly status: Uint8Array;
}

/** What stands for the texts that are too many. */
const OTHER_TEXT = '(other names)';

/** Numbers texts from 0 on, in order of first use. */
export class Texts {
  readonly #numbers = new Map<string, number>();
  readonly #list: string[] = [];
  readonly #max: number;

  /** Past `max` texts, further ones are all taken for one. */
  constructor(max = Infinity) {
    this.#max = max;
  }

  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    if (this.#list.length >= this.#max && text !== OTHER_TEXT) return this.numberOf(OTHER_TEXT);
    this.#numbers.set(text, this.#list.length);
    return this.#list.push(text) - 1;
  }

  at(number: number): string {
    return this.#list[number]!;
  }
}
