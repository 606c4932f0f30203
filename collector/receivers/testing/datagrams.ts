// A datagram as Jaeger's clients send it, of one span.

import { batchValue, type PlainBatch } from '../../../model/codec/jaeger/testing/jaeger_span.ts';
import { encodeMessage } from '../../../model/codec/thrift/testing/thrift_encoder.ts';

export const BATCH: PlainBatch = {
  service: 'shop',
  processTags: [],
  spans: [
    {
      traceId: '19700a761ac9e79d404ce527852f1e33',
      spanId: '499892e2272a11ee',
      parentId: '',
      name: 'GET /',
      references: [],
      flags: 1,
      startMicros: 1_795_398_050_217_427n,
      durationMicros: 12n,
      tags: [{ key: 'a', value: ['string', 'b'] }],
      logs: [],
    },
  ],
};

/** `seed` tells it from the others. */
export function datagramOf(seed: number): Buffer {
  const [span] = BATCH.spans;
  const spanId = (seed + 1).toString(16).padStart(16, '0');
  const spans = span === undefined ? [] : [{ ...span, spanId }];
  return encodeMessage('emitBatch', 4, [[1, batchValue({ ...BATCH, spans })]], 'compact');
}
