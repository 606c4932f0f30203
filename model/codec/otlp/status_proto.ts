// google.rpc.Status, the body of every OTLP error: over HTTP as it stands, over gRPC in the trailer
// grpc-status-details-bin. Numbers from proto/google/rpc.

import { ProtoWriter } from './proto_writer.ts';

export interface StatusBody {
  /** A gRPC status code. */
  readonly code: number;
  readonly message: string;
  /** Present when the request may be sent again after this; becomes a RetryInfo detail. */
  readonly retryAfterMs?: number;
  /** What is wrong with the request, for one that must not be repeated: a BadRequest detail. */
  readonly violation?: string;
}

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';

const STATUS = { code: 1, message: 2, details: 3 } as const;
const ANY = { typeUrl: 1, value: 2 } as const;

/** google.rpc.Status as protobuf. */
export function statusProto(status: StatusBody): Uint8Array<ArrayBuffer> {
  const writer = new ProtoWriter(256);
  if (status.code !== 0) writer.uint(STATUS.code, status.code);
  if (status.message !== '') writer.string(STATUS.message, status.message);
  if (status.retryAfterMs !== undefined) {
    detail(writer, RETRY_INFO, retryInfo(status.retryAfterMs));
  }
  if (status.violation !== undefined) detail(writer, BAD_REQUEST, badRequest(status.violation));
  return writer.finish();
}

/** google.rpc.Status as ProtoJSON. */
export function statusJson(status: StatusBody): string {
  const details: object[] = [];
  if (status.retryAfterMs !== undefined) {
    details.push({ '@type': RETRY_INFO, retryDelay: `${status.retryAfterMs / 1000}s` });
  }
  if (status.violation !== undefined) {
    const violations = [{ description: status.violation }];
    details.push({ '@type': BAD_REQUEST, fieldViolations: violations });
  }
  const body = { code: status.code, message: status.message };
  return JSON.stringify(details.length === 0 ? body : { ...body, details });
}

function detail(writer: ProtoWriter, type: string, message: Uint8Array): void {
  const any = writer.begin(STATUS.details);
  writer.string(ANY.typeUrl, type);
  writer.bytes(ANY.value, message);
  writer.end(any);
}

/** RetryInfo { 1 retry_delay: Duration { 1 seconds, 2 nanos } } */
function retryInfo(delayMs: number): Uint8Array {
  const writer = new ProtoWriter(32);
  const duration = writer.begin(1);
  writer.uint(1, Math.floor(delayMs / 1000));
  writer.uint(2, Math.floor(delayMs % 1000) * 1_000_000);
  writer.end(duration);
  return writer.finish();
}

/** BadRequest { 1 field_violations: FieldViolation { 2 description } } */
function badRequest(description: string): Uint8Array {
  const writer = new ProtoWriter(256);
  const violation = writer.begin(1);
  writer.string(2, description);
  writer.end(violation);
  return writer.finish();
}
