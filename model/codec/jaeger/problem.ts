// Why a batch cannot be translated, as a value for the caller: every decoder of this folder answers
// with one of these, and never throws for what was sent.

import { ThriftError } from '../thrift/thrift_reader.ts';

export type Decoded =
  /** ExportTraceServiceRequest bytes; empty when there was no span. */
  | { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer>; readonly spans: number }
  /** `message` is one sentence for the sender. */
  | { readonly ok: false; readonly tooLarge: boolean; readonly message: string };

export class JaegerProblem extends Error {
  override readonly name = 'JaegerProblem';
}

class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

/** A few bytes of Jaeger can be ten times as many of OTLP, so the result has a limit of its own. */
export function checkSize(length: number, bytesMax: number): void {
  if (length > bytesMax) {
    throw new TooLarge(
      `the batch is longer than ${bytesMax} bytes as OTLP (limits.request_bytes): ` +
        'send smaller batches',
    );
  }
}

/** The problem that `error` is; throws it on when it is none, since then it is a bug of ours. */
export function problemOf(error: unknown): Decoded & { ok: false } {
  if (error instanceof TooLarge) return { ok: false, tooLarge: true, message: error.message };
  if (error instanceof ThriftError || error instanceof JaegerProblem) {
    return { ok: false, tooLarge: false, message: error.message };
  }
  throw error;
}
