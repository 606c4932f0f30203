// Mutated requests of real tracers to every decoder. What is taken must be OTLP that the collector's
// own walk takes too; what is not must be refused in a sentence; nothing else may happen.

import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { mutate } from '../../otlp/testing/mutator.ts';
import { type Random, seededRandom } from '../../otlp/testing/prng.ts';
import type { Decoded } from '../decoded.ts';
import { jsonV1ToOtlp } from '../json_v1.ts';
import { jsonV2ToOtlp } from '../json_v2.ts';
import { proto3ToOtlp } from '../proto3.ts';
import { thriftV1ToOtlp } from '../thrift_v1.ts';

export const DECODERS = {
  'zipkin-v1-json': jsonV1ToOtlp,
  'zipkin-v2-json': jsonV2ToOtlp,
  'zipkin-v2-proto3': proto3ToOtlp,
  'zipkin-v1-thrift': thriftV1ToOtlp,
} as const;

export type FuzzedFormat = keyof typeof DECODERS;

export interface FuzzReport {
  readonly executions: number;
  readonly refused: number;
  readonly slowestMs: number;
  /** Inputs after which something else than an answer happened, as hex with what it was. */
  readonly faults: readonly string[];
}

export interface FuzzOptions {
  readonly seed: number;
  readonly executions: number;
  /** Whichever of the two ends comes first. */
  readonly secondsMax: number;
  /** The message of a walk that refuses the bytes; undefined when it takes them. */
  readonly check: (bytes: Uint8Array) => string | undefined;
}

const FAULTS_MAX = 5;

export function fuzz(format: FuzzedFormat, options: FuzzOptions): FuzzReport {
  const random = seededRandom(options.seed);
  const seeds = seedsOf(format);
  const started = performance.now();
  const faults: string[] = [];
  let [executions, refused, slowestMs] = [0, 0, 0];
  while (executions < options.executions && faults.length < FAULTS_MAX) {
    if (performance.now() - started > options.secondsMax * 1000) break;
    const bytes = change(random.pick(seeds)!, random.pick(seeds)!, random, format);
    const before = performance.now();
    const fault = judge(DECODERS[format], bytes, options.check);
    slowestMs = Math.max(slowestMs, performance.now() - before);
    executions += 1;
    if (fault === 'refused') refused += 1;
    else if (fault !== undefined) faults.push(`${fault}: ${Buffer.from(bytes).toString('hex')}`);
  }
  return { executions, refused, slowestMs, faults };
}

function judge(
  decode: (bytes: Uint8Array, nowMicros: number) => Decoded,
  bytes: Uint8Array,
  check: FuzzOptions['check'],
): string | undefined {
  try {
    const answer = decode(bytes, 1);
    if (!answer.ok) return answer.message === '' ? 'refused without a word' : 'refused';
    return check(answer.bytes);
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** Blind changes and protobuf's own for the binary formats; tokens moved about for JSON. */
function change(
  bytes: Uint8Array,
  donor: Uint8Array,
  random: Random,
  format: FuzzedFormat,
): Uint8Array {
  if (format === 'zipkin-v2-proto3' || random.oneIn(3)) return mutate(bytes, donor, random);
  const at = random.below(bytes.length);
  const length = random.below(random.oneIn(4) ? 200 : 12);
  const from = random.below(donor.length);
  const piece = format.endsWith('json')
    ? Buffer.from(random.pick(JSON_PIECES) ?? '')
    : Buffer.from(random.pick(BINARY_PIECES) ?? '', 'hex');
  const middle = random.oneIn(2) ? donor.subarray(from, from + length) : piece;
  return Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(at + random.below(length))]);
}

const JSON_PIECES = [
  ...['null', 'true', '-1', '1e400', '"', '\\', '\\u', '\\ud800', '{', '}', '[', ']', ',', ':'],
  ...['[[[[[[', '{"a":', '"id":"0",', '"traceId":"', '99999999999999999999', '"tags":{"error":1}'],
  ...['"annotations":[{"timestamp":1,"value":"x"}],', '"ipv6":"::1",', '"port":70000,', '\u0000'],
];

const BINARY_PIECES = [
  ...['00', 'ff', '7fffffff', 'ffffffff', '80000000', '0c0000ffff', '0f0006', '0b0003', '0c'],
  ...['0d00010b0c00000001', '0e', '10', '020001', '0a00010000000000000000'],
];

function seedsOf(format: FuzzedFormat): Uint8Array[] {
  const folder = new URL('../testdata/', import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const text = readFileSync(new URL(name, folder), 'utf8');
      if ((JSON.parse(text) as { format: string }).format !== format) return [];
      const sent = readFileSync(new URL(name.replace(/json$/, 'bin'), folder));
      return [new Uint8Array(sent[0] === 0x1f && sent[1] === 0x8b ? gunzipSync(sent) : sent)];
    });
}
