// What a server says in its OK: ExportTraceServiceResponse { ExportTracePartialSuccess
// partial_success = 1 { int64 rejected_spans = 1; string error_message = 2 } } (OTLP 1.11).

import { WireReader } from '../../model/codec/otlp/wire_reader.ts';

export interface PartialSuccess {
  readonly rejected: number;
  /** May be set although nothing was rejected: then it is a warning. */
  readonly message: string;
}

/** Bytes that are no such message count as plain success: the status said OK. */
export function decodePartialSuccess(bytes: Uint8Array): PartialSuccess {
  try {
    const reader = new WireReader(bytes);
    while (reader.next()) {
      if (reader.field === 1) return decodeInner(reader.message());
      reader.skip();
    }
  } catch {
    // Not ours to judge.
  }
  return { rejected: 0, message: '' };
}

function decodeInner(reader: WireReader): PartialSuccess {
  let rejected = 0;
  let message = '';
  while (reader.next()) {
    if (reader.field === 1) rejected = Number(reader.int64());
    else if (reader.field === 2) message = reader.text();
    else reader.skip();
  }
  return { rejected, message };
}
