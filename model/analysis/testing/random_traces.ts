// For tests and benchmarks: traces with all that goes wrong in real ones. Missing parents, several
// roots, cycles, ids shared by client and server, clocks that disagree, children that overlap, that
// outlive their parent or begin after it, messages, negative durations; times that often coincide.

import { Gatherer } from '../gatherer.ts';
import { type Skeletons, Texts } from '../skeletons.ts';

/** A span as an object, times in nanoseconds since 1970. */
export interface LooseSpan {
  readonly spanId: bigint;
  readonly parentId: bigint;
  readonly h: number;
  readonly start: bigint;
  readonly duration: bigint;
  readonly service: string;
  readonly name: string;
  readonly kind: number;
}

/** Numerical Recipes' generator: the same numbers for the same seed. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to `below` - 1. */
  roll(below: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * below);
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.roll(times) === 0;
  }
}

const NOON = BigInt(Date.UTC(2026, 10, 23, 12)) * 1_000_000n;
const [SERVER, CLIENT, CONSUMER] = [2, 3, 5];
const SKEWS = [0, 0, 0, 5_000, -700];

/** 1 to `spansMax` spans of up to five services. */
export function randomTrace(dice: Dice, spansMax: number): LooseSpan[] {
  const count = 1 + dice.roll(spansMax);
  const spans: LooseSpan[] = [];
  for (let n = 0; n < count; n++) spans.push(randomSpan(dice, spans, n));
  return spans;
}

function randomSpan(dice: Dice, spans: readonly LooseSpan[], n: number): LooseSpan {
  const above = spans[dice.roll(spans.length)];
  const kind = above?.kind === CLIENT && !dice.once(3) ? SERVER : dice.roll(CONSUMER + 1);
  const calls = kind === SERVER || kind === CONSUMER || dice.once(8);
  const service = above === undefined || calls ? dice.roll(SKEWS.length) : Number(above.service);
  const shares = kind === SERVER && above?.kind === CLIENT && dice.once(4);
  const [start, duration] = randomTimes(dice, above, service);
  return {
    spanId: shares ? above.spanId : BigInt(n + 1),
    parentId: shares ? above.parentId : randomParent(dice, above),
    h: n,
    start,
    duration,
    service: `${service}`,
    name: `op${dice.roll(3)}`,
    kind,
  };
}

function randomParent(dice: Dice, above: LooseSpan | undefined): bigint {
  if (dice.once(16)) return 0n;
  if (dice.once(16)) return 0xdead_0000n;
  // A later id, or its own: cycles.
  if (dice.once(24)) return BigInt(1 + dice.roll(12));
  return above?.spanId ?? 0n;
}

function randomTimes(dice: Dice, above: LooseSpan | undefined, service: number): [bigint, bigint] {
  const skew = BigInt(SKEWS[service]! - (above === undefined ? 0 : SKEWS[Number(above.service)]!));
  if (above === undefined) return [NOON + skew, BigInt(dice.roll(64))];
  const room = Math.max(1, Number(above.duration));
  const start = dice.once(10) ? room + dice.roll(8) : dice.roll(room);
  const duration = dice.once(10) ? dice.roll(2 * room) : dice.roll(Math.max(1, room - start + 1));
  return [above.start + skew + BigInt(start), BigInt(dice.once(40) ? -duration : duration)];
}

/** The traces as columns; trace t has the id t + 1. `texts` numbers services and names. */
export function skeletonsOf(
  traces: readonly (readonly LooseSpan[])[],
  texts = new Texts(),
): Skeletons {
  const ids = {
    traceHigh: new BigUint64Array(traces.length),
    traceLow: BigUint64Array.from(traces, (_, trace) => BigInt(trace + 1)),
  };
  const gatherer = new Gatherer(ids, texts);
  const spans = traces.flat();
  const low = traces.flatMap((trace, t) => trace.map(() => BigInt(t + 1)));
  gatherer.add({
    traceHigh: new BigUint64Array(spans.length),
    traceLow: BigUint64Array.from(low),
    spanId: BigUint64Array.from(spans, (span) => span.spanId),
    parentId: BigUint64Array.from(spans, (span) => span.parentId),
    h: Uint32Array.from(spans, (span) => span.h),
    startUnixNanos: BigInt64Array.from(spans, (span) => span.start),
    durationNanos: BigInt64Array.from(spans, (span) => span.duration),
    service: Uint32Array.from(spans, (span) => texts.numberOf(span.service)),
    name: Uint32Array.from(spans, (span) => texts.numberOf(span.name)),
    kind: Uint8Array.from(spans, (span) => span.kind),
    status: new Uint8Array(spans.length),
  });
  const steps = gatherer.finish();
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}
