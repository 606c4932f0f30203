// Broken batches out of good ones, for every decoder of this folder:
//   node model/codec/jaeger/testing/fuzz.ts --iterations 1000000 --seed 1
// The same seed draws the same bytes. What is taken must be OTLP that our own check takes too.

import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { mutate } from '../../otlp/testing/mutator.ts';
import { type Random, seededRandom } from '../../otlp/testing/prng.ts';
import { checkTwin } from '../../otlp/twin.ts';
import { encodeMessage, type ThriftField } from '../../thrift/testing/thrift_encoder.ts';
import { BatchBuilder } from '../batch_builder.ts';
import { jsonSpanToOtlp } from '../json_span.ts';
import type { Decoded } from '../problem.ts';
import { postSpansToOtlp, spanToOtlp } from '../proto_batch.ts';
import { addDatagram, thriftToOtlp } from '../thrift_to_otlp.ts';
import { zipkinDatagramToOtlp } from '../zipkin_datagram.ts';
import { batchValue, encodePostSpans, encodeProtoSpans, encodeThriftBatch } from './jaeger_span.ts';
import { encodeJsonSpans } from './json_spans.ts';
import { plainBatch } from './span_arbitrary.ts';

export interface FuzzReport {
  readonly decodes: number;
  readonly taken: number;
  readonly slowestMs: number;
  /** What went wrong, with the bytes as hex; at most a few. */
  readonly faults: readonly string[];
}

const BYTES_MAX = 1024 * 1024;
const FAULTS_MAX = 5;
const POOL_BATCHES = 60;
/** Every so many results are checked as OTLP, which costs more than all the rest. */
const CHECKED_EVERY = 8;

type Decoder = (bytes: Uint8Array) => Decoded;

export const DECODERS: Readonly<Record<string, Decoder>> = {
  thrift: (bytes) => thriftToOtlp(bytes, 'either', BYTES_MAX),
  proto: (bytes) => postSpansToOtlp(bytes, BYTES_MAX),
  span: (bytes) => spanToOtlp(bytes, BYTES_MAX),
  json: (bytes) => jsonSpanToOtlp(bytes, BYTES_MAX),
  datagram: (bytes) => {
    const builder = new BatchBuilder(BYTES_MAX);
    const problem = addDatagram(bytes, builder);
    const { spans } = builder;
    return problem ?? { ok: true, bytes: builder.finish(), spans };
  },
  zipkin: (bytes) => zipkinDatagramToOtlp(bytes, 1_795_398_050_217_427),
};

/** `decodes` for each decoder; runs in one go. */
export function fuzz(seed: number, decodes: number): Readonly<Record<string, FuzzReport>> {
  const pools = poolsOf(seed);
  return Object.fromEntries(
    Object.entries(DECODERS).map(([name, decode]) => {
      const pool = pools[name] ?? [];
      return [name, fuzzOne(decode, pool, seededRandom(seed), decodes)];
    }),
  );
}

function fuzzOne(
  decode: Decoder,
  pool: readonly Uint8Array[],
  random: Random,
  decodes: number,
): FuzzReport {
  const faults: string[] = [];
  let [taken, slowestMs] = [0, 0];
  const none = new Uint8Array(0);
  for (let i = 0; i < decodes && faults.length < FAULTS_MAX; i++) {
    const bytes = mutate(random.pick(pool) ?? none, random.pick(pool) ?? none, random);
    const startMs = performance.now();
    try {
      const decoded = decode(bytes);
      if (decoded.ok) {
        taken++;
        if (taken % CHECKED_EVERY === 0) checkOtlp(decoded.bytes, decoded.spans);
      }
    } catch (error) {
      faults.push(`${String(error)}: ${Buffer.from(bytes).toString('hex')}`);
    }
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
  }
  return { decodes, taken, slowestMs, faults };
}

function checkOtlp(bytes: Uint8Array, spans: number): void {
  const checked = checkTwin(bytes, { recordUnixNanos: 0n, maxAgeSeconds: 0 });
  if (!checked.ok) throw new Error(`the OTLP is malformed: ${checked.message}`);
  const rejected = Object.values(checked.rejected).reduce((sum, count) => sum + count, 0);
  if (checked.spans + rejected !== spans) throw new Error('the OTLP has another number of spans');
}

function poolsOf(seed: number): Readonly<Record<string, readonly Uint8Array[]>> {
  const batches = fc.sample(plainBatch, { seed, numRuns: POOL_BATCHES });
  const captured = capturedBytes();
  const protos = batches.map(encodePostSpans);
  const protocols = ['strict', 'compact'] as const;
  const thrift = batches.flatMap((batch) =>
    protocols.map((protocol) => encodeThriftBatch(batch, protocol)),
  );
  const datagrams = batches.flatMap((batch) =>
    protocols.map((protocol) => encodeMessage('emitBatch', 4, [[1, batchValue(batch)]], protocol)),
  );
  return {
    thrift: [...thrift, ...captured],
    proto: protos,
    span: batches.flatMap(encodeProtoSpans),
    json: batches.flatMap(encodeJsonSpans),
    datagram: [...datagrams, ...captured],
    zipkin: zipkinDatagrams(),
  };
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

function main(): void {
  const { values } = parseArgs({
    options: {
      iterations: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    },
  });
  console.log(`seed ${values.seed}`);
  const reports = fuzz(Number(values.seed), Number(values.iterations));
  console.log(JSON.stringify(reports, null, 2));
  if (Object.values(reports).some(({ faults }) => faults.length > 0)) process.exitCode = 1;
}

if (import.meta.main) main();
