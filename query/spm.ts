// Service performance: rates of calls and errors, and quantiles of durations, at points of time. By
// minutes: from settled numbers where they hold all spans, from spans elsewhere.

import { compareText } from '../model/compare_text.ts';
import type { SpanKind } from '../model/span.ts';
import type { Select } from '../storage/clickhouse/select.ts';
import { BUCKET_NANOS } from '../storage/clickhouse/settled/buckets.ts';
import {
  type RedQuery,
  settledRedStatement,
  spanRedStatement,
} from '../storage/clickhouse/settled/red_statements.ts';
import type { Statement } from '../storage/clickhouse/statement.ts';
import { Breath } from './breath.ts';
import { planWindow } from './settled.ts';
import { SlotHistogram } from './slot_histogram.ts';

/** Everything is counted by the minute, so no step shows more. */
export const RESOLUTION_MS = 60_000;
/** Of operations that nobody could look through, those with the most calls are answered. */
const SERIES_MAX = 2000;
/** Of all series together: some 85 MB of JSON. A year by the hour has some 110 series, not 2,000. */
const POINTS_MAX = 1_000_000;

export interface SpmQuery {
  readonly tenant: string;
  readonly metric: 'latencies' | 'calls' | 'errors';
  readonly services: readonly string[];
  readonly kinds: readonly SpanKind[];
  /** A series for each operation instead of one for each service. */
  readonly byOperation: boolean;
  /** From 0 to 1; for latencies. */
  readonly quantile: number;
  /** Points at startUnixMs, startUnixMs + stepMs … up to endUnixMs. */
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly stepMs: number;
  /** Each point looks back so far, in whole minutes, the one it lies in included. */
  readonly ratePerMs: number;
}

export interface SpmSeries {
  readonly service: string;
  /** '' where operations are not told apart. */
  readonly operation: string;
  /**
   * Calls per second; errors as a part of the calls; latencies in milliseconds, 2.2 % off at most.
   * Where there was no call, calls are 0 and the others NaN.
   */
  readonly values: Float64Array;
}

export interface SpmAnswer {
  readonly timesUnixMs: readonly number[];
  /** Sorted by service, then operation; each is made when it is asked for. */
  readonly series: AsyncGenerator<SpmSeries, void>;
}

/**
 * Throws SelectError. `onBytes` is told the bytes of the counts as they come in, which are held
 * until the last series is made; what it throws ends the reading.
 */
export async function computeSpm(
  select: Select,
  query: SpmQuery,
  signal?: AbortSignal,
  onBytes?: (bytes: number) => void,
): Promise<SpmAnswer> {
  const timesUnixMs: number[] = [];
  for (let at = query.startUnixMs; at <= query.endUnixMs; at += query.stepMs) timesUnixMs.push(at);
  const back = Math.max(1, Math.round(query.ratePerMs / RESOLUTION_MS));
  const windows = timesUnixMs.map((at) => {
    const last = Math.ceil(at / RESOLUTION_MS) - 1;
    return { first: last - back + 1, last };
  });
  const [first, last] = [windows.at(0)?.first ?? 0, windows.at(-1)?.last ?? -1];
  const read = (statement: Statement) => select(statement, signal, onBytes);
  const counts = await readCounts(read, query, first, last);
  const most = Math.min(SERIES_MAX, Math.floor(POINTS_MAX / Math.max(1, windows.length)));
  const shown = [...counts].sort((a, b) => b.calls - a.calls).slice(0, most);
  shown.sort((a, b) => compareText(a.service, b.service) || compareText(a.operation, b.operation));
  return { timesUnixMs, series: seriesOf(shown, query, windows) };
}

async function* seriesOf(
  counts: readonly Counts[],
  query: SpmQuery,
  windows: readonly Minutes[],
): AsyncGenerator<SpmSeries, void> {
  const breath = new Breath();
  for (const one of counts) {
    const { service, operation } = one;
    yield { service, operation, values: await valuesOf(one, query, windows, breath) };
  }
}

/** Minutes since 1970, both inclusive. */
interface Minutes {
  readonly first: number;
  readonly last: number;
}

async function valuesOf(
  counts: Counts,
  { metric, quantile }: SpmQuery,
  windows: readonly Minutes[],
  breath: Breath,
): Promise<Float64Array> {
  const sliding = new Sliding(counts);
  const values = new Float64Array(windows.length);
  let before: Minutes | undefined;
  for (const [i, window] of windows.entries()) {
    // Several points lie in a minute.
    if (before?.last === window.last) {
      values[i] = values[i - 1]!;
      continue;
    }
    before = window;
    const pause = breath.step();
    if (pause !== undefined) await pause;
    sliding.move(window);
    const seconds = (window.last - window.first + 1) * SECONDS_PER_MINUTE;
    const { calls, errors, histogram } = sliding;
    if (metric === 'calls') values[i] = calls / seconds;
    else if (metric === 'errors') values[i] = calls === 0 ? Number.NaN : errors / calls;
    else values[i] = histogram.quantileNanos(quantile) / 1e6;
  }
  return values;
}

/** The sum over a window of minutes that only moves forward. */
class Sliding {
  calls = 0;
  errors = 0;
  readonly histogram = new SlotHistogram();
  readonly #rows: readonly CountRow[];
  #in = 0;
  #out = 0;

  constructor({ rows }: Counts) {
    this.#rows = rows.sort((a, b) => a.minute - b.minute);
  }

  move({ first, last }: Minutes): void {
    const rows = this.#rows;
    for (; this.#in < rows.length && rows[this.#in]!.minute <= last; this.#in++) {
      this.#add(rows[this.#in]!, 1);
    }
    for (; this.#out < this.#in && rows[this.#out]!.minute < first; this.#out++) {
      this.#add(rows[this.#out]!, -1);
    }
  }

  #add(row: CountRow, sign: 1 | -1): void {
    this.calls += sign * row.calls;
    this.errors += sign * row.errors;
    this.histogram.add(row.slot, sign * row.calls);
  }
}

interface CountRow {
  /** Minutes since 1970. */
  readonly minute: number;
  readonly slot: number;
  readonly calls: number;
  readonly errors: number;
}

interface Counts {
  readonly service: string;
  readonly operation: string;
  calls: number;
  readonly rows: CountRow[];
}

const MINUTE_NANOS = 60_000_000_000n;
const SECONDS_PER_MINUTE = 60;

async function readCounts(
  read: Select,
  query: SpmQuery,
  firstMinute: number,
  lastMinute: number,
): Promise<readonly Counts[]> {
  const { tenant, services, kinds, byOperation } = query;
  const asked: RedQuery = { services, kinds, byOperation, bySlot: query.metric === 'latencies' };
  // Whole buckets: of one that is settled, any minute can be read.
  const from = ((BigInt(firstMinute) * MINUTE_NANOS) / BUCKET_NANOS) * BUCKET_NANOS;
  const to = ((BigInt(lastMinute) * MINUTE_NANOS) / BUCKET_NANOS + 1n) * BUCKET_NANOS - 1n;
  const window = { tenant, fromUnixNanos: from, toUnixNanos: to };
  const plan = await planWindow(read, window);
  const statements = [
    ...(plan.settled === undefined ? [] : [settledRedStatement(plan.settled, asked)]),
    ...plan.fromSpans.map((stretch) => spanRedStatement(stretch, asked)),
  ];
  const found = new Map<string, Counts>();
  const breath = new Breath();
  for (const statement of statements) {
    for (const block of await read(statement)) {
      const pause = breath.step(block.rows);
      if (pause !== undefined) await pause;
      const [service, name] = [block.strings('service'), block.strings('name')];
      const [minute, slot] = [block.numbers('minute'), block.numbers('slot')];
      const [calls, errors] = [block.bigs('calls'), block.bigs('errors')];
      for (let i = 0; i < block.rows; i++) {
        const counts = countsOf(found, service.at(i), name.at(i));
        const row: CountRow = {
          minute: minute[i]! / SECONDS_PER_MINUTE,
          slot: slot[i]!,
          calls: Number(calls[i]),
          errors: Number(errors[i]),
        };
        if (row.minute < firstMinute || row.minute > lastMinute) continue;
        counts.rows.push(row);
        counts.calls += row.calls;
      }
    }
  }
  return [...found.values()].filter((counts) => counts.calls > 0);
}

function countsOf(found: Map<string, Counts>, service: string, operation: string): Counts {
  const key = JSON.stringify([service, operation]);
  const known = found.get(key);
  if (known !== undefined) return known;
  const counts: Counts = { service, operation, calls: 0, rows: [] };
  found.set(key, counts);
  return counts;
}
