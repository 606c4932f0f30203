// Thrift bytes to an ExportTraceServiceRequest: a Batch as POSTed to /api/traces, or the datagrams
// that the agent's port takes. Pure; never throws for what was sent.

import { BinaryReader } from '../thrift/binary_reader.ts';
import { CompactReader } from '../thrift/compact_reader.ts';
import { messageReader, structReader } from '../thrift/detect.ts';
import { CALL, ONEWAY, STRUCT, type ThriftReader, wrongType } from '../thrift/thrift_reader.ts';
import { BatchBuilder } from './batch_builder.ts';
import { type Decoded, JaegerProblem } from './problem.ts';
import { equals } from './special_tags.ts';
import { readThriftBatch } from './thrift_batch.ts';

export type ThriftProtocol = 'binary' | 'compact' | 'either';

/** A Batch; `either` is told by its first byte. The result has no more than `bytesMax` bytes. */
export function thriftToOtlp(
  bytes: Uint8Array,
  protocol: ThriftProtocol,
  bytesMax: number,
): Decoded {
  const builder = new BatchBuilder(bytesMax, bytes.length);
  const problem = builder.batch(() => {
    const reader = readerOf(bytes, protocol);
    readThriftBatch(reader, builder);
    if (reader.at !== bytes.length) {
      throw new JaegerProblem(
        `the Batch ends at byte ${reader.at}, but the body has ${bytes.length} bytes`,
      );
    }
  });
  if (problem !== undefined) return problem;
  const { spans } = builder;
  return { ok: true, bytes: builder.finish(), spans };
}

const EMIT_BATCH = new TextEncoder().encode('emitBatch');
const EMIT_ZIPKIN_BATCH = new TextEncoder().encode('emitZipkinBatch');

/** Adds the batch of one datagram to `builder`; undefined, or why it has none. */
export function addDatagram(
  datagram: Uint8Array,
  builder: BatchBuilder,
): (Decoded & { ok: false }) | undefined {
  return builder.batch(() => {
    const reader = messageReader(datagram);
    const type = reader.message();
    if (type !== CALL && type !== ONEWAY) {
      throw new JaegerProblem(`a call was expected, but this is a message of type ${type}`);
    }
    if (!equals(EMIT_BATCH, datagram, reader.start, reader.end)) throw unknownMethod(reader);
    reader.enterStruct();
    let batches = 0;
    while (reader.nextField()) {
      if (reader.fieldId !== 1) {
        reader.skip();
        continue;
      }
      if (batches++ > 0) throw new JaegerProblem('emitBatch has a field twice');
      if (reader.fieldType !== STRUCT) throw wrongType(1, STRUCT, reader.fieldType);
      readThriftBatch(reader, builder);
    }
    if (batches === 0) throw new JaegerProblem('emitBatch came without a Batch');
  });
}

/** Whether a datagram carries Zipkin v1 spans (agent.thrift's other method). */
export function isZipkinDatagram(datagram: Uint8Array): boolean {
  try {
    const reader = messageReader(datagram);
    reader.message();
    return equals(EMIT_ZIPKIN_BATCH, datagram, reader.start, reader.end);
  } catch {
    return false;
  }
}

function readerOf(bytes: Uint8Array, protocol: ThriftProtocol): ThriftReader {
  if (protocol === 'either') return structReader(bytes);
  return protocol === 'compact' ? new CompactReader(bytes) : new BinaryReader(bytes);
}

function unknownMethod(reader: ThriftReader): JaegerProblem {
  const length = reader.end - reader.start;
  return new JaegerProblem(`emitBatch was expected, but the method's name has ${length} bytes`);
}
