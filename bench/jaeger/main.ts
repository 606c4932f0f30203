// Jaeger's protobuf and compact Thrift to OTLP bytes, beside the way of objects. Datagrams over a real
// socket are in bench/udp.

import { postSpansToOtlp } from '../../model/codec/jaeger/proto_batch.ts';
import {
  encodePostSpans,
  encodeThriftBatch,
} from '../../model/codec/jaeger/testing/jaeger_span.ts';
import { thriftToOtlp } from '../../model/codec/jaeger/thrift_to_otlp.ts';
import { numericFlags } from '../flags.ts';
import { measureInterleaved, type Work } from '../measure.ts';
import { type Figure, writeReport } from '../report.ts';
import { makeBatch } from './batches.ts';
import { compactByObjects, protoByObjects } from './objects_way.ts';

const SPANS_PER_BATCH = 100;
const BATCHES = 50;
const BYTES_MAX = 64 * 1024 * 1024;

export async function run(args: string[]): Promise<void> {
  const flags = numericFlags(args, { rounds: 5, seconds: 1 });
  const batches = Array.from({ length: BATCHES }, (_, i) => makeBatch(SPANS_PER_BATCH, i));
  const protos = batches.map(encodePostSpans);
  const compacts = batches.map((batch) => encodeThriftBatch(batch, 'compact'));
  const measured = measureInterleaved(
    {
      proto: over(protos, (bytes) => postSpansToOtlp(bytes, BYTES_MAX)),
      'proto by objects': over(protos, protoByObjects),
      compact: over(compacts, (bytes) => thriftToOtlp(bytes, 'compact', BYTES_MAX)),
      'compact by objects': over(compacts, compactByObjects),
    },
    flags.rounds,
    flags.seconds,
  );
  const figures: Figure[] = Object.entries(measured).map(([what, figure]) => ({
    what,
    ...figure,
  }));
  const speed = (name: keyof typeof measured): number => measured[name].spansPerCpuSecond;
  await writeReport({
    name: 'jaeger',
    parameters: { ...flags, spansPerBatch: SPANS_PER_BATCH },
    figures,
    ratios: {
      'proto / by objects': speed('proto') / speed('proto by objects'),
      'compact / by objects': speed('compact') / speed('compact by objects'),
    },
  });
}

function over(requests: readonly Uint8Array[], translate: (bytes: Uint8Array) => unknown): Work {
  let turn = 0;
  return {
    once: () => {
      translate(requests[turn++ % requests.length] as Uint8Array);
      return SPANS_PER_BATCH;
    },
  };
}
