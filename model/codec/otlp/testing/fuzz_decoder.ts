// Mutated bytes to a decoder: it may take or refuse them, and nothing else may happen. The same seed
// draws the same bytes.

import type { Transcoder } from '../transcoder.ts';
import { mutate } from './mutator.ts';
import { type Random, seededRandom } from './prng.ts';

/** `donor` is another seed that parts may come from. */
export type Mutate = (bytes: Uint8Array, donor: Uint8Array, random: Random) => Uint8Array;

export interface FuzzTarget {
  readonly seeds: readonly Uint8Array[];
  /** As protobuf's structure has it, unless told. */
  readonly mutate?: Mutate;
  /** Whether the bytes were taken; throws when anything else than an answer happens. */
  readonly decode: (bytes: Uint8Array) => boolean;
}

export interface FuzzReport {
  readonly executions: number;
  readonly taken: number;
  readonly slowestMs: number;
  /** What went wrong, with the bytes as hex; at most a few. */
  readonly faults: readonly string[];
}

/** A stall of the event loop that nobody should notice (design, P8). */
export const STALL_MS_MAX = 250;

const FAULTS_MAX = 5;

/** Another process may have had the CPU: what is slow is timed again, and the quickest counts. */
const RETIMES = 3;
const RETIMED_FROM_MS = STALL_MS_MAX / 10;

/** Runs in one go: the caller's event loop stands still meanwhile. */
export function fuzzDecoder(target: FuzzTarget, seed: number, executions: number): FuzzReport {
  const random = seededRandom(seed);
  const { seeds, decode } = target;
  const change = target.mutate ?? mutate;
  const faults: string[] = [];
  const none = new Uint8Array(0);
  let [done, taken, slowestMs] = [0, 0, 0];
  while (done < executions && faults.length < FAULTS_MAX) {
    const bytes = change(random.pick(seeds) ?? none, random.pick(seeds) ?? none, random);
    done++;
    try {
      const startMs = performance.now();
      if (decode(bytes)) taken++;
      const tookMs = performance.now() - startMs;
      if (tookMs > slowestMs) slowestMs = Math.max(slowestMs, retimed(decode, bytes, tookMs));
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      faults.push(`${what}: ${Buffer.from(bytes).toString('hex')}`);
    }
  }
  return { executions: done, taken, slowestMs, faults };
}

function retimed(decode: (bytes: Uint8Array) => boolean, bytes: Uint8Array, tookMs: number) {
  let quickestMs = tookMs;
  for (let i = 0; i < RETIMES && quickestMs > RETIMED_FROM_MS; i++) {
    const startMs = performance.now();
    decode(bytes);
    quickestMs = Math.min(quickestMs, performance.now() - startMs);
  }
  return quickestMs;
}

type Answer =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly spans?: number }
  | { readonly ok: false; readonly message?: string };

const RECORD_UNIX_NANOS = 1_800_000_000_000_000_000n;
const AGE_SECONDS = 1e9;

/**
 * A decoder of the kind that `FuzzTarget` has, of one that makes OTLP: what it took must be OTLP that
 * the collector's own walk takes too, with as many spans, and a refusal must have a sentence.
 */
export function checked(transcoder: Transcoder, translate: (bytes: Uint8Array) => Answer) {
  return (bytes: Uint8Array): boolean => {
    const answer = translate(bytes);
    if (!answer.ok) {
      if (answer.message === '') throw new Error('refused without a word');
      return false;
    }
    const walked = transcoder.check(answer.bytes, RECORD_UNIX_NANOS, AGE_SECONDS);
    if (!walked.ok) throw new Error(`the OTLP is malformed: ${walked.message}`);
    const rejected = Object.values(walked.rejected).reduce((sum, count) => sum + count, 0);
    if (answer.spans !== undefined && walked.spans + rejected !== answer.spans) {
      throw new Error('the OTLP has another number of spans');
    }
    return true;
  };
}

/** Blind changes, and pieces of a language put anywhere: tokens of JSON, bytes of Thrift. */
export function mutatorOf(pieces: readonly Uint8Array[]): Mutate {
  return (bytes, donor, random) => {
    if (random.oneIn(3)) return mutate(bytes, donor, random);
    const at = random.below(bytes.length);
    const length = random.below(random.oneIn(4) ? 200 : 12);
    const from = random.below(donor.length);
    const piece = random.pick(pieces) ?? new Uint8Array(0);
    const middle = random.oneIn(2) ? donor.subarray(from, from + length) : piece;
    const rest = bytes.subarray(at + random.below(length));
    return new Uint8Array(Buffer.concat([bytes.subarray(0, at), middle, rest]));
  };
}

const JSON_PIECES = [
  ...['null', 'true', '-1', '1e400', '"', '\\', '\\u', '\\ud800', '{', '}', '[', ']', ',', ':'],
  ...['[[[[[[', '{"a":', '99999999999999999999', '"__proto__":1,', '\u0000', '""', '1E-9', '0.5'],
];

/** `words` are the keys and values that the format has beside JSON's own. */
export function jsonMutator(words: readonly string[]): Mutate {
  return mutatorOf([...JSON_PIECES, ...words].map((piece) => Buffer.from(piece)));
}
