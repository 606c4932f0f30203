// What a load is, and what comes out of it: the words between generator process and benchmark.

export type LoadProtocol = 'http' | 'http-gzip' | 'grpc';

export interface LoadOptions {
  readonly protocol: LoadProtocol;
  readonly host: string;
  readonly port: number;
  /** Requests under way at once: serial senders, as exporters are. */
  readonly senders: number;
  /** Of HTTP/2, shared by the senders. HTTP/1.1 has one a sender. */
  readonly connections: number;
  readonly seconds: number;
  readonly spansPerRequest: number;
  readonly requests: number;
  /** All senders together; absent = as fast as answers come. */
  readonly requestsPerSecond?: number;
}

export interface LoadResult {
  readonly requests: number;
  /** Acknowledged by the server and not rejected. */
  readonly spans: number;
  readonly rejectedSpans: number;
  /** From the first send to the last answer. */
  readonly wallSeconds: number;
  /** Of answered requests, good ones only. */
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  readonly latencyMaxMs: number;
  /** How often each answer other than OK came: `HTTP 503`, `gRPC 14`, `ECONNRESET`. */
  readonly failures: Readonly<Record<string, number>>;
  /** Of the generator itself, so that it can be told from the server's. */
  readonly generatorCpuSeconds: number;
}

/** What one request came to. Senders throw nothing. */
export type SendOutcome =
  | { readonly ok: true; readonly rejected: number }
  | { readonly ok: false; readonly failure: string; readonly retryAfterMs: number };

export interface Sender {
  send(body: Uint8Array<ArrayBuffer>): Promise<SendOutcome>;
  close(): void;
}
