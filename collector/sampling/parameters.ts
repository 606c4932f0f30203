// SamplingStrategyParameters: 1 serviceName.

import { JaegerProblem } from '../../model/codec/jaeger/problem.ts';
import { ProtoCursor } from '../../model/codec/jaeger/proto_cursor.ts';
import { RefusalError } from '../../service/refusal.ts';

/** '' when there is none. Throws RefusalError `malformed`. */
export function serviceNameOf(bytes: Uint8Array): string {
  const cursor = new ProtoCursor(bytes);
  let name = '';
  try {
    while (cursor.next()) {
      if (cursor.field === 1) {
        cursor.range();
        name = Buffer.from(bytes.subarray(cursor.rangeStart, cursor.rangeEnd)).toString();
      } else cursor.skip();
    }
    return name;
  } catch (error) {
    if (!(error instanceof JaegerProblem)) throw error;
    throw new RefusalError({ code: 'malformed', message: error.message }, error);
  }
}
