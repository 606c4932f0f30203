// What every receiver hands to `accept`, and what it gets back.

/** A batch: what one client request carried, already inflated and translated to OTLP protobuf. */
export interface Batch {
  readonly tenant: string;
  /** ExportTraceServiceRequest bytes. Ownership passes to `accept`: do not reuse or change them. */
  readonly bytes: Uint8Array;
  /** The protocol it came by, for metrics: a closed set, never from the request. */
  readonly receiver:
    | 'otlp_grpc'
    | 'otlp_http'
    | 'zipkin_http'
    | 'zipkin_grpc'
    | 'jaeger_grpc'
    | 'jaeger_http'
    | 'jaeger_udp';
  /** Aborted when the client went away or its deadline passed. */
  readonly signal?: AbortSignal;
}

/** Every span that was not rejected is stored (or in the log) when this is returned. */
export interface Accepted {
  readonly spans: number;
  /** Spans refused for good, e.g. an all-zero trace id. */
  readonly rejected: number;
  /** Why, when rejected > 0; else ''. Goes to the client as partial_success.error_message. */
  readonly message: string;
}

/** Resolves once the batch is safe; throws RefusalError (service/refusal.ts) otherwise. */
export type Accept = (batch: Batch) => Promise<Accepted>;
