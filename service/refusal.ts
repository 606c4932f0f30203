// Why a request was not accepted, as a closed union; one table turns it into gRPC and HTTP answers.
// Source of the table: OTLP 1.11 (failures) and docs/adr; retryable ones carry a delay.

export type RefusalCode =
  | 'malformed' // cannot be decoded; sending it again cannot help
  | 'too_large' // over a size limit, on the wire or inflated
  | 'unsupported' // content type or encoding that we do not speak
  | 'method' // HTTP method that the path does not take
  | 'not_found'
  | 'unauthenticated'
  | 'forbidden'
  | 'busy' // memory, queue or quota is full: try later
  | 'unavailable' // store or broker is down: try later
  | 'deadline' // the caller's deadline passed before the outcome was known
  | 'internal'; // our bug

export interface Refusal {
  readonly code: RefusalCode;
  /** One plain sentence for the sender: what was expected, what came, what to do. */
  readonly message: string;
  /** Set on retryable refusals only. */
  readonly retryAfterMs?: number;
}

interface Wire {
  readonly http: number;
  readonly grpc: number;
}

/** HTTP status and gRPC code (google.rpc.Code numbers) of each refusal. */
export const REFUSAL_WIRE: Readonly<Record<RefusalCode, Wire>> = {
  malformed: { http: 400, grpc: 3 },
  too_large: { http: 413, grpc: 8 },
  unsupported: { http: 415, grpc: 12 },
  method: { http: 405, grpc: 12 },
  not_found: { http: 404, grpc: 5 },
  unauthenticated: { http: 401, grpc: 16 },
  forbidden: { http: 403, grpc: 7 },
  busy: { http: 429, grpc: 14 },
  unavailable: { http: 503, grpc: 14 },
  deadline: { http: 504, grpc: 4 },
  internal: { http: 500, grpc: 13 },
};

/** A refusal thrown across an async boundary. */
export class RefusalError extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal, cause?: unknown) {
    super(refusal.message, cause === undefined ? undefined : { cause });
    this.name = 'RefusalError';
    this.refusal = refusal;
  }
}
