// OTLP/JSON to protobuf, off the event loop where the body is large.

import type { Reservation } from './receivers/reservation.ts';

export interface JsonTranscoder {
  /**
   * ExportTraceServiceRequest bytes of an OTLP/JSON body, which is given away. Throws RefusalError:
   * `malformed`, or `busy` when too many wait.
   */
  toProto(
    json: Uint8Array<ArrayBuffer>,
    reservation: Reservation,
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>>;
}
