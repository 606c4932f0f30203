// A Zipkin v1 span: annotations with endpoints. Its volume is small and shrinking, so it is objects.

export interface Endpoint {
  readonly serviceName?: string;
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly port?: number;
}

export interface V1Annotation {
  /** µs */
  readonly timestamp: number;
  readonly value: string;
  readonly endpoint?: Endpoint | undefined;
}

export interface V1BinaryAnnotation {
  readonly key: string;
  /** A string is a tag; `true` an address, for keys `ca`, `sa` and `ma`. */
  readonly value: string | true;
  readonly endpoint?: Endpoint | undefined;
}

export interface V1Span {
  /** 32 or 16 lower-case hex digits, not zero. */
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string | undefined;
  readonly name?: string | undefined;
  /** µs, 0: absent. */
  readonly timestamp: number;
  readonly duration: number;
  readonly debug: boolean;
  readonly annotations: readonly V1Annotation[];
  readonly binaryAnnotations: readonly V1BinaryAnnotation[];
}

export type Kind = 'CLIENT' | 'SERVER' | 'PRODUCER' | 'CONSUMER';

/** A Zipkin v2 span, as its JSON has it. */
export interface V2Span {
  traceId: string;
  parentId?: string;
  id: string;
  kind?: Kind;
  name?: string;
  timestamp?: number;
  duration?: number;
  localEndpoint?: Endpoint;
  remoteEndpoint?: Endpoint;
  annotations?: { timestamp: number; value: string }[];
  tags?: Record<string, string>;
  debug?: true;
  shared?: true;
}
