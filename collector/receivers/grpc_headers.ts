// What a call's headers say about its message and its time (gRPC over HTTP/2, PROTOCOL-HTTP2.md).

import type { IncomingHttpHeaders } from 'node:http2';

export type GrpcEncoding = 'identity' | 'gzip' | 'deflate' | 'unknown';

/** What is offered in grpc-accept-encoding; the flag of the message says whether it is used. */
export const GRPC_ENCODINGS = 'identity,deflate,gzip';

export function grpcEncodingOf(headers: IncomingHttpHeaders): GrpcEncoding {
  const encoding = headers['grpc-encoding'] ?? 'identity';
  return encoding === 'identity' || encoding === 'gzip' || encoding === 'deflate'
    ? encoding
    : 'unknown';
}

/** TimeoutValue is at most eight digits. */
const TIMEOUT = /^([0-9]{1,8})([HMSmun])$/;

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** Undefined when there is none, and when it is no timeout. */
export function grpcTimeoutMs(headers: IncomingHttpHeaders): number | undefined {
  const text = headers['grpc-timeout'];
  if (typeof text !== 'string') return undefined;
  const [, digits, unit] = TIMEOUT.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * (UNIT_MS[unit ?? ''] ?? 0);
}
