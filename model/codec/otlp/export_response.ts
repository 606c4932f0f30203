// ExportTraceServiceResponse { 1 partial_success { 1 rejected_spans, 2 error_message } }: what the
// sender of a batch hears when it was accepted. All kept: no partial_success at all (OTLP 1.11).

import { ProtoWriter } from './proto_writer.ts';

export interface ExportResult {
  readonly rejected: number;
  /** Why, when something was rejected; with none rejected it is a warning. '' for neither. */
  readonly message: string;
}

/**
 * OTLP 1.11 caps a response at 4 MiB and has error_message shortened first. We stop far below: the
 * sentence is for a log line, and gRPC clients may be set to less.
 */
export const ERROR_MESSAGE_BYTES_MAX = 16 * 1024;

export function exportResponseProto(result: ExportResult): Uint8Array<ArrayBuffer> {
  const writer = new ProtoWriter(64);
  const message = shortened(result.message);
  if (result.rejected > 0 || message !== '') {
    const partial = writer.begin(1);
    if (result.rejected > 0) writer.uint(1, result.rejected);
    if (message !== '') writer.string(2, message);
    writer.end(partial);
  }
  return writer.finish();
}

/** ProtoJSON: an int64 is a string there. */
export function exportResponseJson(result: ExportResult): string {
  const message = shortened(result.message);
  if (result.rejected === 0 && message === '') return '{}';
  const partialSuccess = {
    ...(result.rejected > 0 ? { rejectedSpans: String(result.rejected) } : {}),
    ...(message !== '' ? { errorMessage: message } : {}),
  };
  return JSON.stringify({ partialSuccess });
}

/** At most ERROR_MESSAGE_BYTES_MAX of UTF-8, never half a character. */
function shortened(message: string): string {
  if (message.length * 3 <= ERROR_MESSAGE_BYTES_MAX) return message;
  const room = new Uint8Array(ERROR_MESSAGE_BYTES_MAX);
  const { read } = new TextEncoder().encodeInto(message, room);
  return message.slice(0, read);
}
