// Reads the skeletons of many traces, some thousand at a time, so that analysis of 20,000 of them
// holds a few MB.

import { setImmediate } from 'node:timers/promises';
import { Gatherer } from '../../model/analysis/gatherer.ts';
import { type Skeletons, Texts } from '../../model/analysis/skeletons.ts';
import type { TraceIds } from '../../model/analysis/trace_index.ts';
import type { NativeBlock, StringColumn } from './native_column.ts';
import type { Select } from './select.ts';
import { type DayRange, SKELETON_TRACES_MAX, skeletonStatement } from './skeleton_statement.ts';
import { type TraceKey, traceIdText } from './statement.ts';

/** One statement's rows are in memory at once, 60 bytes each; ten thousand traces mostly have fewer. */
const ROWS_MAX = 1_000_000;

export interface SkeletonQuestion {
  readonly tenant: string;
  /** The traces wanted, in the order wanted; one that is there twice is read once. */
  readonly keys: readonly TraceKey[];
  /** Spans that start on other days (UTC) are not looked for. */
  readonly days: DayRange;
  /** Rows of one statement at most; ROWS_MAX unless told. */
  readonly rowsMax?: number;
  /** Texts of services and names; unbounded unless told. */
  readonly texts?: Texts;
}

/** Some of the traces asked for, in their order. */
export interface SkeletonPart extends Skeletons {
  /** True where one trace alone has more than `rowsMax` spans: only so many of it are here. */
  readonly cut: boolean;
}

/**
 * All traces asked for, in parts; a trace that is not there has no rows. The texts are numbered the
 * same way in all parts. Lets others run after every few thousand rows. Throws SelectError.
 * `onBytes` is told the bytes as they come in, and what it throws ends the reading.
 */
export async function* readSkeletons(
  select: Select,
  question: SkeletonQuestion,
  signal?: AbortSignal,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<SkeletonPart, void> {
  const texts = question.texts ?? new Texts();
  const keys = [...new Map(question.keys.map((key) => [traceIdText(key), key])).values()];
  let width = SKELETON_TRACES_MAX;
  for (let at = 0; at < keys.length; ) {
    const some = keys.slice(at, at + width);
    const part = await readPart(select, { ...question, keys: some }, texts, signal, onBytes);
    if (part === undefined) {
      width = Math.ceil(some.length / 2);
      continue;
    }
    at += some.length;
    yield part;
  }
}

/** undefined: several traces, which together have more than `rowsMax` rows. */
async function readPart(
  select: Select,
  { tenant, keys, days, rowsMax = ROWS_MAX }: SkeletonQuestion,
  texts: Texts,
  signal: AbortSignal | undefined,
  onBytes: ((bytes: number) => void) | undefined,
): Promise<SkeletonPart | undefined> {
  const gatherer = new Gatherer(idsOf(keys), texts);
  const statement = skeletonStatement(tenant, keys, days, rowsMax);
  let rows = 0;
  for (const block of await select(statement, signal, onBytes)) {
    rows += block.rows;
    if (rows >= rowsMax && keys.length > 1) return undefined;
    gatherer.add(looseRows(block, texts));
    await setImmediate();
  }
  const finish = gatherer.finish();
  for (let step = finish.next(); ; step = finish.next()) {
    if (step.done === true) return { ...step.value, cut: rows >= rowsMax };
    await setImmediate();
  }
}

function idsOf(keys: readonly TraceKey[]): TraceIds {
  return {
    traceHigh: BigUint64Array.from(keys, (key) => key.high),
    traceLow: BigUint64Array.from(keys, (key) => key.low),
  };
}

function looseRows(block: NativeBlock, texts: Texts) {
  const numbersOf = (column: StringColumn): Uint32Array =>
    column.numbered((text) => texts.numberOf(text), block.rows);
  return {
    traceHigh: block.unsigned64('trace_hi'),
    traceLow: block.unsigned64('trace_lo'),
    spanId: block.unsigned64('span_id'),
    parentId: block.unsigned64('parent_id'),
    h: block.numbers('h') as Uint32Array,
    startUnixNanos: block.signed64('ts'),
    durationNanos: block.signed64('duration'),
    service: numbersOf(block.strings('service')),
    name: numbersOf(block.strings('name')),
    kind: block.numbers('kind') as Uint8Array,
    status: block.numbers('status') as Uint8Array,
  };
}
