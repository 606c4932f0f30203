// What a tracer's program prints, and how a variant of one is run.

export interface RecordedSpan {
  readonly id: string;
  /** '' for the root. */
  readonly parent: string;
  readonly name: string;
  readonly kind: 'server' | 'client';
  /** Besides which others may be shown: tracers add their own. */
  readonly tags?: Readonly<Record<string, unknown>>;
  /** The message of an error that Zipkin tells by the tag `error`. */
  readonly error?: string;
  /** The name of an event. */
  readonly event?: string;
}

export interface Recorded {
  /** 16 or 32 hex digits. */
  readonly traceId: string;
  readonly spans: readonly RecordedSpan[];
}

export type Door = 'zipkin' | 'jaeger-http' | 'jaeger-compact' | 'jaeger-binary';

export interface Variant {
  /** As the table shows it, with its version. */
  readonly tracer: string;
  /** Format and transport, for the table. */
  readonly sends: string;
  /** What the program takes as its argument. */
  readonly argument: string;
  readonly door: Door;
  /** False where the tracer cannot tell its service. */
  readonly tellsService?: false;
  /** For programs that read their exporter's own variable. */
  readonly env?: (address: string) => Readonly<Record<string, string>>;
}
