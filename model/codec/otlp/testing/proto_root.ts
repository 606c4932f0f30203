// protobufjs over our own proto/ files: the oracle that tests read and write messages with.

import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const PROTO = fileURLToPath(new URL('../../../../proto/', import.meta.url));

function load(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) =>
    target.startsWith('google/protobuf/') ? target : PROTO + target;
  return root.loadSync([
    'opentelemetry/proto/collector/trace/v1/trace_service.proto',
    'google/rpc/status.proto',
    'google/rpc/error_details.proto',
  ]);
}

const root = load();
const TRACE_SERVICE = 'opentelemetry.proto.collector.trace.v1';

export const RequestType = root.lookupType(`${TRACE_SERVICE}.ExportTraceServiceRequest`);
export const ResponseType = root.lookupType(`${TRACE_SERVICE}.ExportTraceServiceResponse`);
export const StatusType = root.lookupType('google.rpc.Status');
export const RetryInfoType = root.lookupType('google.rpc.RetryInfo');
export const BadRequestType = root.lookupType('google.rpc.BadRequest');

const PLAIN = { longs: String, bytes: String } as const;

/** Plain objects: 64-bit numbers as strings, bytes as base64, absent fields absent. */
export function plain(type: protobuf.Type, bytes: Uint8Array): Record<string, unknown> {
  return type.toObject(type.decode(bytes), PLAIN);
}

export interface DecodedStatus {
  readonly code: number;
  readonly message: string;
  /** Milliseconds, when there is a RetryInfo. */
  readonly retryMs: number | undefined;
  readonly violations: readonly string[];
}

interface RawStatus {
  code?: number;
  message?: string;
  details?: { type_url: string; value: Uint8Array }[];
}

/** A google.rpc.Status with its details unpacked. */
export function decodeStatus(bytes: Uint8Array): DecodedStatus {
  const raw = StatusType.toObject(StatusType.decode(bytes)) as RawStatus;
  let retryMs: number | undefined;
  const violations: string[] = [];
  for (const { type_url: url, value } of raw.details ?? []) {
    if (url === 'type.googleapis.com/google.rpc.RetryInfo') {
      const { retryDelay } = RetryInfoType.toObject(RetryInfoType.decode(value), {
        longs: Number,
        defaults: true,
      }) as { retryDelay: { seconds: number; nanos: number } };
      retryMs = retryDelay.seconds * 1000 + retryDelay.nanos / 1e6;
    } else {
      const found = BadRequestType.toObject(BadRequestType.decode(value)) as {
        fieldViolations: { description: string }[];
      };
      violations.push(...found.fieldViolations.map((violation) => violation.description));
    }
  }
  return { code: raw.code ?? 0, message: raw.message ?? '', retryMs, violations };
}
