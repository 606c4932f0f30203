// Broken batches out of good ones, for every decoder of this folder.

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import {
  checked,
  type FuzzTarget,
  jsonMutator,
  mutatorOf,
} from '../../otlp/testing/fuzz_decoder.ts';
import type { Transcoder } from '../../otlp/transcoder.ts';
import { encodeMessage, type ThriftField } from '../../thrift/testing/thrift_encoder.ts';
import { BatchBuilder } from '../batch_builder.ts';
import { jsonSpanToOtlp } from '../json_span.ts';
import type { Decoded } from '../problem.ts';
import { postSpansToOtlp, spanToOtlp } from '../proto_batch.ts';
import { addDatagram, thriftToOtlp } from '../thrift_to_otlp.ts';
import { zipkinDatagramToOtlp } from '../zipkin_datagram.ts';
import { batchValue, encodePostSpans, encodeThriftBatch } from './jaeger_span.ts';
import { encodeJsonSpans } from './json_spans.ts';
import { plainBatch } from './span_arbitrary.ts';

const BYTES_MAX = 1024 * 1024;
const BATCHES = 60;
/** Of the batches that seeds are drawn from; the fuzzer's own seed changes them. */
const BATCHES_SEED = 20_261_123;

const JSON_WORDS = [
  ...['"traceId":"AAAAAAAAAAAAAAAAAAAAAQ==",', '"vType":"INT64",', '"vInt64":"-1",', '"vBinary":"'],
  ...['"startTime":"9999-12-31T23:59:59.999999999Z",', '"duration":"-0.1s",', '"refType":1,'],
];

/** Types, sizes and headers of the binary protocol, and of the compact one. */
const THRIFT_PIECES = ['00', 'ff', '7fffffff', 'ffffffff0f', '80000000', '0c0000ffff', '0f00060c']
  .concat([
    '0b000300000001',
    '0d00010b0c00000001',
    '0a0001',
    '1c',
    '19fc',
    '18',
    '15',
    '821b',
    '16',
  ])
  .map((hex) => Buffer.from(hex, 'hex'));

/** By decoder and protocol. Seeds are drawn ones and what real clients sent (../testdata). */
export function jaegerTargets(transcoder: Transcoder): Readonly<Record<string, FuzzTarget>> {
  const batches = fc.sample(plainBatch, { seed: BATCHES_SEED, numRuns: BATCHES });
  const protos = batches.map(encodePostSpans);
  const messages = (protocol: 'strict' | 'compact') =>
    batches.map((batch) => encodeMessage('emitBatch', 4, [[1, batchValue(batch)]], protocol));
  const bodies = (protocol: 'strict' | 'compact') =>
    batches.map((batch) => encodeThriftBatch(batch, protocol));
  const captured = capturedBytes();
  const target = (
    seeds: readonly Uint8Array[],
    translate: (bytes: Uint8Array) => Decoded,
    mutate?: FuzzTarget['mutate'],
  ): FuzzTarget => {
    const decode = checked(transcoder, translate);
    return mutate === undefined ? { seeds, decode } : { seeds, decode, mutate };
  };
  const thrift = mutatorOf(THRIFT_PIECES);
  return {
    'Jaeger PostSpans': target(protos, (bytes) => postSpansToOtlp(bytes, BYTES_MAX)),
    'Jaeger span': target(protos, (bytes) => spanToOtlp(bytes, BYTES_MAX)),
    'Jaeger JSON span': target(
      batches.flatMap(encodeJsonSpans),
      (bytes) => jsonSpanToOtlp(bytes, BYTES_MAX),
      jsonMutator(JSON_WORDS),
    ),
    'Jaeger binary Thrift': target(
      [...bodies('strict'), ...captured],
      (bytes) => thriftToOtlp(bytes, 'either', BYTES_MAX),
      thrift,
    ),
    'Jaeger compact Thrift': target(
      bodies('compact'),
      (bytes) => thriftToOtlp(bytes, 'compact', BYTES_MAX),
      thrift,
    ),
    'Jaeger binary datagram': target(messages('strict'), datagramToOtlp, thrift),
    'Jaeger compact datagram': target(
      [...messages('compact'), ...captured],
      datagramToOtlp,
      thrift,
    ),
    'Zipkin datagram': target(
      zipkinDatagrams(),
      (bytes) => zipkinDatagramToOtlp(bytes, 1_795_398_050_217_427),
      thrift,
    ),
  };
}

function datagramToOtlp(bytes: Uint8Array): Decoded {
  const builder = new BatchBuilder(BYTES_MAX);
  const problem = addDatagram(bytes, builder);
  const { spans } = builder;
  return problem ?? { ok: true, bytes: builder.finish(), spans };
}

function zipkinDatagrams(): Uint8Array[] {
  const annotation: ThriftField[] = [
    [1, { type: 'i64', value: 1_795_398_050_217_427n }],
    [2, { type: 'string', value: 'sr' }],
  ];
  const span: ThriftField[] = [
    [1, { type: 'i64', value: 7n }],
    [3, { type: 'string', value: 'get' }],
    [4, { type: 'i64', value: 8n }],
    [6, { type: 'list', element: 'struct', values: [{ type: 'struct', fields: annotation }] }],
    [10, { type: 'i64', value: 1_795_398_050_217_427n }],
  ];
  const values = [{ type: 'struct' as const, fields: span }];
  const list = { type: 'list', element: 'struct', values } as const;
  return (['strict', 'compact'] as const).map((protocol) =>
    encodeMessage('emitZipkinBatch', 4, [[1, list]], protocol),
  );
}

/** The seeds that are kept in the repo: what real clients sent. */
function capturedBytes(): Uint8Array[] {
  const folder = new URL('../testdata/', import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.bin'))
    .map((name) => new Uint8Array(readFileSync(new URL(name, folder))));
}
