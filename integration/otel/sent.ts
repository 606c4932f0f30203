// What the SDK programs print: spans as their own SDK recorded them, before any exporter saw them.

export interface SentAttribute {
  readonly key: string;
  readonly type: 'string' | 'int' | 'double' | 'bool' | 'array';
  /** An int is text, so that no digit is lost. */
  readonly value: unknown;
}

export interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** '' for a root. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly startUnixNanos: string;
  readonly endUnixNanos: string;
  readonly attributes: readonly SentAttribute[];
  readonly events: readonly {
    readonly name: string;
    readonly timeUnixNanos: string;
    readonly attributes: readonly SentAttribute[];
  }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: 'unset' | 'ok' | 'error';
  readonly statusMessage: string;
  readonly scopeName: string;
  readonly scopeVersion: string;
}

export interface Sent {
  readonly resource: readonly SentAttribute[];
  readonly spans: readonly SentSpan[];
}
