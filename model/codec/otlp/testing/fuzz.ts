// Compares the transcoder with its twin on mutated requests:
//   node model/codec/otlp/testing/fuzz.ts --iterations 1000000 --seed 1
// The same seed draws the same requests. Prints what differs, and exits with 1.

import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { loadTranscoder } from '../transcoder.ts';
import type { TwinRecord } from '../twin.ts';
import { type ComparedTranscoder, compareWithTwin } from './compare.ts';
import { mutate } from './mutator.ts';
import { type Random, seededRandom } from './prng.ts';
import { MAX_AGE_SECONDS, plainRequest, RECORD_UNIX_NANOS } from './request_arbitrary.ts';
import { encodeRequest } from './request_encoder.ts';

export interface FuzzOptions {
  readonly seed: number;
  /** Mutated requests; whichever of the two ends comes first. */
  readonly iterations: number;
  readonly secondsMax: number;
  /** Stop after so many. */
  readonly disagreementsMax: number;
}

export interface Disagreement {
  readonly difference: string;
  readonly seed: number;
  /** Each with its place in the seed's sequence. */
  readonly iteration: number;
  readonly requestsHex: readonly string[];
}

export interface FuzzReport {
  readonly requests: number;
  readonly malformed: number;
  readonly spans: number;
  readonly seconds: number;
  readonly disagreements: readonly Disagreement[];
}

/** Requests that are mutated, drawn anew after so many iterations each. */
const POOL_REQUESTS = 200;
const POOL_ITERATIONS = 4000;
/** Mostly alone, so that a report is short; sometimes several in one block. */
const RECORDS_MAX = 3;

/** Runs in one go: the caller's event loop stands still meanwhile. */
export function fuzz(transcoder: ComparedTranscoder, options: FuzzOptions): FuzzReport {
  const random = seededRandom(options.seed);
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const disagreements: Disagreement[] = [];
  let [requests, malformed, spans, refilled] = [0, 0, 0, Number.NEGATIVE_INFINITY];
  let pool: Uint8Array[] = [];
  while (
    requests < options.iterations &&
    seconds() < options.secondsMax &&
    disagreements.length < options.disagreementsMax
  ) {
    if (requests - refilled >= POOL_ITERATIONS) {
      pool = drawPool(random);
      refilled = requests;
    }
    const records = drawRecords(pool, random);
    const agreement = judge(transcoder, records);
    if (agreement.difference !== undefined) {
      disagreements.push({
        difference: agreement.difference,
        seed: options.seed,
        iteration: requests,
        requestsHex: records.map(({ bytes }) => Buffer.from(bytes).toString('hex')),
      });
    }
    requests += records.length;
    malformed += agreement.malformed;
    spans += agreement.spans;
  }
  return { requests, malformed, spans, seconds: seconds(), disagreements };
}

function judge(transcoder: ComparedTranscoder, records: readonly TwinRecord[]) {
  try {
    return compareWithTwin(transcoder, records, { maxAgeSeconds: MAX_AGE_SECONDS });
  } catch (error) {
    return { difference: `thrown: ${String(error)}`, malformed: 0, spans: 0 };
  }
}

function drawPool(random: Random): Uint8Array[] {
  const seed = random.below(2 ** 31);
  return fc.sample(plainRequest, { seed, numRuns: POOL_REQUESTS }).map(encodeRequest);
}

function drawRecords(pool: readonly Uint8Array[], random: Random): TwinRecord[] {
  const count = random.oneIn(8) ? 1 + random.below(RECORDS_MAX) : 1;
  const none = new Uint8Array(0);
  return Array.from({ length: count }, () => ({
    tenant: random.pick(['default', 'a', 'ž']) ?? 'default',
    bytes: mutate(random.pick(pool) ?? none, random.pick(pool) ?? none, random),
    recordUnixNanos: RECORD_UNIX_NANOS,
  }));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      iterations: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      seconds: { type: 'string', default: '86400' },
    },
  });
  const seed = Number(values.seed);
  console.log(`seed ${seed}`);
  const report = fuzz(await loadTranscoder(), {
    seed,
    iterations: Number(values.iterations),
    secondsMax: Number(values.seconds),
    disagreementsMax: 20,
  });
  const rate = Math.round(report.requests / report.seconds);
  console.log(
    `${report.requests} requests, ${report.malformed} refused, ${report.spans} spans compared, ` +
      `${rate} requests/s, ${report.disagreements.length} disagreements`,
  );
  for (const { difference, iteration, requestsHex } of report.disagreements) {
    console.log(`at ${iteration}: ${difference}\n  ${requestsHex.join('\n  ')}`);
  }
  if (report.disagreements.length > 0) process.exitCode = 1;
}

if (import.meta.main) await main();
