// The other method that Jaeger's agent takes: emitZipkinBatch(1: list<zipkincore.Span>).

import { messageReader } from '../thrift/detect.ts';
import { STRUCT } from '../thrift/thrift_reader.ts';
import { ZipkinProblem } from '../zipkin/decoded.ts';
import { readV1Span } from '../zipkin/thrift_v1.ts';
import { V1Batch } from '../zipkin/v1_batch.ts';
import { type Decoded, problemOf } from './problem.ts';

/** `nowMicros` (Unix) is given to spans without any time. Only for what isZipkinDatagram is. */
export function zipkinDatagramToOtlp(datagram: Uint8Array, nowMicros: number): Decoded {
  const batch = new V1Batch(nowMicros, datagram.length);
  try {
    const reader = messageReader(datagram);
    reader.message();
    reader.enterStruct();
    while (reader.nextField()) {
      if (reader.fieldId !== 1) reader.skip();
      else for (let left = reader.list(STRUCT); left > 0; left--) batch.add(readV1Span(reader));
    }
    return { ok: true, ...batch.finish() };
  } catch (error) {
    if (!(error instanceof ZipkinProblem)) return problemOf(error);
    return { ok: false, tooLarge: false, message: error.message };
  }
}
