// Reads ranges: the next one, closed by size or time, or exactly the one that an intent names.

import { BLOCK_ROWS_MAX } from '../../model/limits.ts';
import {
  type LoggedRecord,
  OffsetGoneError,
  type PartitionLog,
} from '../../storage/partition_log.ts';
import { HeldError } from './held.ts';
import type { HeldBytes } from './held_bytes.ts';
import { type Intent, isTranslated, type RowSettings } from './intent.ts';
import { type PersistDeps, persist, StoppedError } from './persist.ts';
import type { Range } from './prepare.ts';
import { sortRecord } from './sort_record.ts';

/** What one block takes into memory; two a partition are on the way at a time. */
export const RANGE_BYTES_MAX = 32 * 1024 * 1024;

/** The same where records are translated first, which may make them a few times as large. */
const TRANSLATED_RANGE_BYTES_MAX = RANGE_BYTES_MAX / 4;

/** One fetch: large enough for few round trips, small enough to decode within a slice of time. */
export const FETCH_BYTES_MAX = 4 * 1024 * 1024;

/** Jaeger writes a record a span: so many bytes are some thousand records, each to be decoded. */
const TRANSLATED_FETCH_BYTES_MAX = FETCH_BYTES_MAX / 4;

/** A range stays open so long for more: inserts cost the store most, freshness wants them soon. */
const LINGER_MS = 1_000;

/** How long to look away while other partitions hold all the memory. */
const FULL_WAIT_MS = 50;

/** Records that an intent names were there: so many empty answers say that they no longer are. */
const EMPTY_FETCHES_MAX = 20;

/** Until the first block tells: a span of ordinary traffic, on the wire. */
const SPAN_BYTES_GUESS = 300;
/** Aims a little below a full block, as the estimate is one. */
const ROWS_AIM = BLOCK_ROWS_MAX * 0.9;

export interface RangeReaderDeps extends PersistDeps {
  readonly log: PartitionLog;
  readonly held: HeldBytes;
  readonly settings: RowSettings;
  /** One past the last record, as the broker says with each fetch. */
  readonly seen: (endOffset: number) => void;
}

export class RangeReader {
  readonly #deps: RangeReaderDeps;
  #spanBytes = SPAN_BYTES_GUESS;
  #recordBytes = 0;
  /** Bytes held, by the first offset of their range. */
  readonly #holding = new Map<number, number>();

  constructor(deps: RangeReaderDeps) {
    this.#deps = deps;
  }

  /** Waits until there is something from `first` on. Throws HeldError at a newer record. */
  async next(first: number): Promise<Range> {
    for (;;) {
      try {
        return await this.#gather(first);
      } catch (error) {
        if (!(error instanceof OffsetGoneError)) throw error;
        this.release(first);
        const hole = await this.#hole(first, this.#deps.settings);
        if (hole !== undefined) return hole;
      }
    }
  }

  /** The records of an intent; or, without records, the part of it that retention took. */
  async exactly(intent: Intent): Promise<Range> {
    for (;;) {
      try {
        return { intent, records: await this.#read(intent), lost: 0 };
      } catch (error) {
        if (!(error instanceof OffsetGoneError)) throw error;
        this.release(intent.first);
        const hole = await this.#hole(intent.first, intent.settings, intent.last);
        if (hole !== undefined) return hole;
      }
    }
  }

  async #read({ first, last }: Intent): Promise<LoggedRecord[]> {
    const records: LoggedRecord[] = [];
    for (let at = first, empty = 0; at <= last; ) {
      const fetched = await this.#fetch(at);
      empty = fetched.nextOffset > at ? 0 : empty + 1;
      if (empty >= EMPTY_FETCHES_MAX) throw new HeldError('log_truncated');
      const wanted = fetched.records.filter(({ offset }) => offset <= last);
      this.#hold(first, wanted);
      append(records, wanted);
      at = fetched.nextOffset;
    }
    return records;
  }

  /** Undefined where `first` is there after all. Throws HeldError past the end of the log. */
  async #hole(first: number, settings: RowSettings, last = Infinity): Promise<Range | undefined> {
    const { log, clock, signal } = this.#deps;
    const { startOffset, endOffset } = await persist(() => log.bounds(), this.#deps);
    if (first > endOffset) throw new HeldError('log_truncated');
    if (startOffset <= first) {
      await clock.sleep(FULL_WAIT_MS, signal);
      return undefined;
    }
    const end = Math.min(startOffset - 1, last);
    return { intent: { first, last: end, settings }, records: [], lost: end - first + 1 };
  }

  /** Mean value of the records that came with the last fetch that brought any; 0 before. */
  get recordBytes(): number {
    return this.#recordBytes;
  }

  /** Tells how many spans the records of a range had, to size the next one. */
  learn(records: readonly LoggedRecord[], spans: number): void {
    if (spans > 0) this.#spanBytes = Math.max(1, sizeOf(records) / spans);
  }

  /** The records from `first` on, up to the end of their range, are no longer needed. */
  release(first: number): void {
    this.#deps.held.release(this.#holding.get(first) ?? 0);
    this.#holding.delete(first);
  }

  releaseAll(): void {
    for (const first of [...this.#holding.keys()]) this.release(first);
  }

  async #gather(first: number): Promise<Range> {
    const { clock, held, settings, signal } = this.#deps;
    const records: LoggedRecord[] = [];
    const bytesMax = isTranslated(settings) ? TRANSLATED_RANGE_BYTES_MAX : RANGE_BYTES_MAX;
    const bytesAim = Math.min(bytesMax, this.#spanBytes * ROWS_AIM);
    let at = first;
    let bytes = 0;
    let sinceMs = 0;
    for (;;) {
      if (held.full && records.length === 0) {
        if (signal.aborted) throw new StoppedError();
        await clock.sleep(FULL_WAIT_MS, signal);
        continue;
      }
      const fetched = await this.#fetch(at);
      const taken = takeFitting(fetched.records, bytes, bytesAim, settings);
      if (records.length === 0 && taken.records.length > 0) sinceMs = clock.monotonicMs();
      this.#hold(first, taken.records);
      append(records, taken.records);
      bytes += taken.bytes;
      const lastOffset = records.at(-1)?.offset;
      if (taken.stop === 'newer' && lastOffset === undefined) throw new HeldError('newer_version');
      if (taken.stop === undefined) at = fetched.nextOffset;
      const waited = clock.monotonicMs() - sinceMs >= LINGER_MS;
      const closed = taken.stop !== undefined || bytes >= bytesAim || waited || held.full;
      if (lastOffset === undefined || !closed) continue;
      return { intent: { first, last: lastOffset, settings }, records, lost: 0 };
    }
  }

  async #fetch(at: number) {
    const few = isTranslated(this.#deps.settings);
    const bytesMax = few ? TRANSLATED_FETCH_BYTES_MAX : FETCH_BYTES_MAX;
    const fetched = await persist(() => this.#deps.log.fetch(at, bytesMax), this.#deps);
    this.#deps.seen(fetched.endOffset);
    const { records } = fetched;
    if (records.length > 0) this.#recordBytes = sizeOf(records) / records.length;
    return fetched;
  }

  #hold(first: number, records: readonly LoggedRecord[]): void {
    const bytes = sizeOf(records);
    this.#holding.set(first, (this.#holding.get(first) ?? 0) + bytes);
    this.#deps.held.add(bytes);
  }
}

/** A compressed fetch may hold more records than a call takes arguments. */
function append(records: LoggedRecord[], more: readonly LoggedRecord[]): void {
  for (const record of more) records.push(record);
}

interface Taken {
  readonly records: readonly LoggedRecord[];
  readonly bytes: number;
  readonly stop: 'full' | 'newer' | undefined;
}

/** Of the records, those before the first that does not fit or is of a newer version. */
function takeFitting(
  records: readonly LoggedRecord[],
  bytesBefore: number,
  bytesAim: number,
  settings: RowSettings,
): Taken {
  let bytes = 0;
  for (const [i, record] of records.entries()) {
    const size = sizeOf([record]);
    const before = bytesBefore + bytes;
    const isFull = before > 0 && before + size > bytesAim;
    const isNewer = sortRecord(record, settings).kind === 'newer';
    if (isNewer || isFull) {
      return { records: records.slice(0, i), bytes, stop: isNewer ? 'newer' : 'full' };
    }
    bytes += size;
  }
  return { records, bytes, stop: undefined };
}

/** A record without a value still costs its place. */
const RECORD_OVERHEAD_BYTES = 64;

function sizeOf(records: readonly LoggedRecord[]): number {
  return records.reduce((sum, r) => sum + RECORD_OVERHEAD_BYTES + (r.value?.byteLength ?? 0), 0);
}
