// Where the time of the traces goes that a search finds: their skeletons, analysed one after the
// other. Others run in between.

import { setImmediate } from 'node:timers/promises';
import { Analyzer } from '../model/analysis/analyze.ts';
import { Contributions } from '../model/analysis/contributions.ts';
import { Texts } from '../model/analysis/skeletons.ts';
import type { Select } from '../storage/clickhouse/select.ts';
import { readSkeletons, type SkeletonPart } from '../storage/clickhouse/skeletons.ts';
import type { HeldMemory } from './answer_memory.ts';
import { Breath } from './breath.ts';
import { countTraces, type FindQuery, findTraces } from './find.ts';
import { SPANS_PER_TRACE_MAX, traceKeyOf } from './get.ts';

/** Enough for a mean within a percent, and read and analysed in a second or two. */
export const COHORT_TRACES_MAX = 20_000;
/** Some 250 a trace, where 20 are usual; past so many the traces that are left are not looked at. */
const COHORT_SPANS_MAX = 5_000_000;
/** More cannot be shown as a trace either; they are counted apart. */
const TRACE_SPANS_MAX = SPANS_PER_TRACE_MAX;
/** Names that are held; senders who write ids into names make more. */
const TEXTS_MAX = 50_000;

interface Sums {
  readonly contributions: Contributions;
  /** Traces of more than TRACE_SPANS_MAX spans, which were left out. */
  readonly tooLarge: number;
}

export interface Cohort extends Sums {
  readonly texts: Texts;
  /** Ids in the order of the search, by the numbers that the contributions name traces by. */
  readonly traceIds: readonly string[];
  /** Traces that the search matches in all; at least those that were analysed. */
  readonly matched: number;
}

/** Of the first `query.limit` traces. Throws SelectError; RefusalError `busy` where `held` is full. */
export async function analyseCohort(
  select: Select,
  query: FindQuery,
  held: HeldMemory,
  signal?: AbortSignal,
): Promise<Cohort> {
  const found = await findTraces(select, query, signal);
  // Fewer than asked for are all there are.
  const matched =
    found.length < query.limit ? found.length : await countTraces(select, query, signal);
  const traceIds = found.map((trace) => trace.traceId);
  const texts = new Texts(TEXTS_MAX);
  const question = {
    tenant: query.tenant,
    keys: traceIds.map((id) => traceKeyOf(id)!),
    days: daysOf(query),
    texts,
  };
  const parts = readSkeletons(select, question, signal, held.add);
  return { ...(await addUp(parts)), texts, traceIds, matched: Math.max(matched, found.length) };
}

const DAY_NANOS = 86_400_000_000_000n;

/** A trace may have begun the day before its matching span, and end the day after. */
function daysOf({ startUnixNanos, endUnixNanos }: FindQuery): { first: number; last: number } {
  const day = (nanos: bigint): number => Math.min(Math.max(Number(nanos / DAY_NANOS), 0), 65_535);
  return {
    first: Math.max(0, day(startUnixNanos) - 1),
    last: Math.min(65_535, day(endUnixNanos) + 1),
  };
}

async function addUp(parts: AsyncGenerator<SkeletonPart, void>): Promise<Sums> {
  const contributions = new Contributions();
  const analyzer = new Analyzer();
  const breath = new Breath();
  let [before, tooLarge] = [0, 0];
  for await (const part of ahead(parts)) {
    for (let trace = 0; trace < part.ends.length; trace++) {
      const spans = part.ends[trace]! - (part.ends[trace - 1] ?? 0);
      if (spans > TRACE_SPANS_MAX) {
        tooLarge++;
        continue;
      }
      const stages = analyzer.stages(part, trace);
      let stage = stages.next();
      for (; stage.done !== true; stage = stages.next()) await setImmediate();
      contributions.add(part, stage.value, before + trace);
      const pause = breath.step(1 + spans);
      if (pause !== undefined) await pause;
    }
    before += part.ends.length;
    if (contributions.spans >= COHORT_SPANS_MAX) break;
  }
  return { contributions, tooLarge };
}

/** The next part is read while one is looked at. */
async function* ahead<T>(parts: AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  let next = parts.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done === true) return;
      next = parts.next();
      // It may fail while nobody waits for it; whoever does then is told.
      next.catch(() => undefined);
      yield value as T;
    }
  } finally {
    await parts.return();
  }
}
