// One assigned partition, consumed exactly once (design §4; docs/adr/0011). Everything outside is a
// parameter, so that tests and the simulation can crash it at every step.
//
//   read offset and intent → replay the intent's range → for each range:
//   commit its intent at its first offset → insert under its token → dead letters → ledger row →
//   commit the offset behind it, with the intent of the next range where that is ready
//
// The next range is read and built while this one is inserted.

import type { Clock } from '../../service/clock.ts';
import type { DeadLetters } from '../../storage/dead_letter.ts';
import {
  FencedError,
  type LogBounds,
  type LogSource,
  type PartitionLog,
} from '../../storage/partition_log.ts';
import type { RangeStore } from '../../storage/range_store.ts';
import { type Block, type SpanStore, StoreError } from '../../storage/span_store.ts';
import type { IngesterLedger } from '../ingester_ledger.ts';
import type { ConsumeLedger, HeldReason } from './consume_ledger.ts';
import { HeldError } from './held.ts';
import type { HeldBytes } from './held_bytes.ts';
import { type Intent, intentNote, plainNote, type RowSettings, readNote } from './intent.ts';
import { type PersistDeps, persist, StoppedError } from './persist.ts';
import { type Build, type Prepared, prepare, type Range } from './prepare.ts';
import { RangeReader } from './range_reader.ts';

/** An operator acts in minutes; asking more often would only fill the log. */
const HELD_WAIT_MS = 30_000;

/** The builder's worker died so often over one range: it is the range. */
const BUILD_TRIES_MAX = 3;

/** Dead letters fail so often before the partition counts as held: brokers may be restarting. */
const DEAD_LETTER_TRIES_MAX = 5;

export interface PartitionDeps {
  readonly log: PartitionLog;
  readonly store: SpanStore;
  readonly ranges: RangeStore;
  readonly deadLetters: DeadLetters;
  readonly build: Build;
  readonly buckets: (native: Uint8Array, into: Set<number>) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly held: HeldBytes;
  readonly settings: RowSettings;
  readonly ledger: ConsumeLedger;
  readonly inserts: IngesterLedger;
}

export class PartitionConsumer {
  readonly #deps: PartitionDeps;
  readonly #signal: AbortSignal;
  #persist: PersistDeps;
  #reader: RangeReader;
  #attempt = new AbortController();
  #finishing = false;
  #inserting = false;
  #held: HeldReason | undefined;
  #committed = 0;
  #endOffset = 0;
  #oldestMs: number | undefined;

  constructor(deps: PartitionDeps, signal: AbortSignal) {
    this.#deps = deps;
    this.#signal = signal;
    this.#persist = this.#persistUntil(signal);
    this.#reader = this.#readWith(this.#persist);
  }

  get source(): LogSource {
    return this.#deps.log.source;
  }

  get held(): HeldReason | undefined {
    return this.#held;
  }

  /** Records between the last commit and the end that the broker last told. */
  get lagRecords(): number {
    return Math.max(0, this.#endOffset - this.#committed);
  }

  /** About: those records, each as large as the ones read last. No broker tells it. */
  get lagBytes(): number {
    return Math.round(this.lagRecords * this.#reader.recordBytes);
  }

  /** When the oldest record was accepted that is read and not yet acknowledged, Unix ms. */
  get oldestMs(): number | undefined {
    return this.#oldestMs;
  }

  /** Ends `run` after the commit of the range that is being inserted; at once where there is none. */
  finish(): void {
    this.#finishing = true;
    if (!this.#inserting) this.#attempt.abort();
  }

  /** Runs until the signal is aborted (`stopped`), or the partition is someone else's (`fenced`). */
  async run(): Promise<'stopped' | 'fenced'> {
    for (;;) {
      const attempt = new AbortController();
      this.#attempt = attempt;
      if (this.#finishing) attempt.abort();
      this.#persist = this.#persistUntil(AbortSignal.any([this.#signal, attempt.signal]));
      this.#reader = this.#readWith(this.#persist);
      try {
        await this.#follow(await this.#resume());
      } catch (error) {
        if (error instanceof StoppedError) return 'stopped';
        if (error instanceof FencedError) {
          this.#deps.ledger.fenced();
          return 'fenced';
        }
        if (!(error instanceof HeldError)) throw error;
        this.#hold(error.reason);
        this.#drop(attempt);
        await this.#deps.clock.sleep(HELD_WAIT_MS, this.#signal);
      } finally {
        this.#drop(attempt);
      }
    }
  }

  /** The next range may still be on its way: it must not outlive what it was read for. */
  #drop(attempt: AbortController): void {
    attempt.abort();
    this.#reader.releaseAll();
  }

  #persistUntil(signal: AbortSignal): PersistDeps {
    const { clock, random, ledger } = this.#deps;
    return { clock, random, signal, retried: () => ledger.retried() };
  }

  #readWith(persisting: PersistDeps): RangeReader {
    const { log, held, settings } = this.#deps;
    const seen = (endOffset: number): void => {
      this.#endOffset = Math.max(this.#endOffset, endOffset);
    };
    return new RangeReader({ ...persisting, log, held, settings, seen });
  }

  /** Where to go on, after what an earlier owner had begun is finished. */
  async #resume(): Promise<number> {
    const { log, ledger } = this.#deps;
    const { offset, metadata } = await persist(() => log.committed(), this.#persist);
    const bounds = await persist(() => log.bounds(), this.#persist);
    this.#endOffset = bounds.endOffset;
    this.#committed = offset ?? bounds.startOffset;
    if (offset === undefined) return bounds.startOffset;
    const note = readNote(metadata);
    if (note.kind === 'newer') throw new HeldError('newer_version');
    if (note.kind === 'unreadable') throw new HeldError('unreadable_intent');
    // The topic was created anew under its name: what was committed means nothing in it.
    if (note.topicId !== undefined && note.topicId !== log.source.topicId) {
      this.#committed = bounds.startOffset;
      return bounds.startOffset;
    }
    if (note.kind === 'none') return offset;
    if (note.intent.first !== offset) throw new HeldError('unreadable_intent');
    ledger.replayed();
    return this.#replay(note.intent);
  }

  /** Exactly the range that was begun; where retention has cut into it, the rest under its own name. */
  async #replay(intent: Intent): Promise<number> {
    const { source } = this.#deps.log;
    for (let left = intent; ; ) {
      const range = await this.#reader.exactly(left);
      const { last } = range.intent;
      await this.#insert(await this.#prepare(range));
      this.#reader.release(range.intent.first);
      if (last === intent.last) {
        await this.#commit(last + 1, plainNote(source));
        return last + 1;
      }
      left = { ...intent, first: last + 1 };
      await this.#commit(left.first, intentNote(source, left));
    }
  }

  async #follow(start: number): Promise<never> {
    const { source } = this.#deps.log;
    let range = await this.#next(start);
    await this.#commit(range.intent.first, intentNote(source, range.intent));
    for (;;) {
      const behind = range.intent.last + 1;
      let ready: Prepared | undefined;
      const ahead = this.#next(behind);
      ahead.then(
        (prepared) => {
          ready = prepared;
        },
        () => undefined,
      );
      this.#inserting = true;
      await this.#insert(range);
      this.#reader.release(range.intent.first);
      if (this.#finishing) ready = undefined;
      if (ready === undefined) {
        await this.#commit(behind, plainNote(source));
        this.#inserting = false;
        if (this.#finishing) throw new StoppedError();
        ready = await ahead;
        await this.#commit(behind, intentNote(source, ready.intent));
      } else {
        await this.#commit(behind, intentNote(source, ready.intent));
      }
      range = ready;
    }
  }

  async #next(first: number): Promise<Prepared> {
    const prepared = await this.#prepare(await this.#reader.next(first));
    this.#oldestMs ??= prepared.oldestMs;
    return prepared;
  }

  async #prepare(range: Range): Promise<Prepared> {
    const { log, build, buckets } = this.#deps;
    const retried = (_: unknown, tries: number): void => {
      this.#deps.ledger.retried();
      if (tries + 1 >= BUILD_TRIES_MAX) throw new HeldError('unbuildable');
    };
    const act = (): Promise<Prepared> => prepare(log.source, range, build, buckets);
    const prepared = await persist(act, { ...this.#persist, retried });
    this.#reader.learn(range.records, prepared.row.spans);
    return prepared;
  }

  /** Spans first, then dead letters, the ledger row last: what is committed after it is all there. */
  async #insert(prepared: Prepared): Promise<void> {
    const { deadLetters, row } = prepared;
    this.#oldestMs = prepared.oldestMs;
    for (const block of prepared.blocks) await this.#insertBlock(block);
    if (deadLetters.length > 0) await this.#bury(prepared);
    await this.#toStore(() => this.#deps.ranges.insert(row));
    this.#count(prepared);
  }

  async #insertBlock(block: Block): Promise<void> {
    const { store, inserts, clock } = this.#deps;
    const startMs = clock.monotonicMs();
    await this.#toStore(() => store.insert(block));
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    inserts.inserted(block.rows, block.native.byteLength, seconds);
    inserts.stored(block.rows);
  }

  /** For ever: the same under the same token. What the store refuses for good waits for an operator. */
  async #toStore(act: () => Promise<void>): Promise<void> {
    const isTerminal = (error: unknown): boolean => error instanceof StoreError && !error.retryable;
    await persist(act, {
      ...this.#persist,
      retried: (error) => {
        this.#deps.inserts.retried();
        this.#look();
        if (isTerminal(error)) this.#hold('store_refused');
      },
      waitMs: (error) => (isTerminal(error) ? HELD_WAIT_MS : undefined),
    });
  }

  async #bury({ deadLetters }: Prepared): Promise<void> {
    await persist(() => this.#deps.deadLetters.publish(deadLetters), {
      ...this.#persist,
      retried: (_, tries) => {
        this.#deps.ledger.retried();
        this.#look();
        if (tries + 1 >= DEAD_LETTER_TRIES_MAX) this.#hold('dead_letters_refused');
      },
    });
  }

  /** Nothing is fetched while the store is away: only this lets the lag of the metrics grow. */
  #look(): void {
    const seen = ({ endOffset }: LogBounds): void => {
      this.#endOffset = Math.max(this.#endOffset, endOffset);
    };
    this.#deps.log.bounds().then(seen, () => undefined);
  }

  async #commit(offset: number, metadata: string): Promise<void> {
    await persist(() => this.#deps.log.commit(offset, metadata), this.#persist);
    this.#committed = offset;
  }

  #count({ row, counts, deadLetters }: Prepared): void {
    const { ledger, inserts } = this.#deps;
    ledger.consumed(row.records);
    ledger.lost(row.lost);
    for (const [reason, spans] of Object.entries(row.rejected)) ledger.rejected(reason, spans);
    for (const { reason } of deadLetters) ledger.deadLettered(reason, 1);
    if (counts !== undefined) inserts.lost(counts);
    this.#oldestMs = undefined;
    this.#held = undefined;
  }

  #hold(reason: HeldReason): void {
    if (this.#held === reason) return;
    this.#held = reason;
    this.#deps.ledger.held(this.source.partition, reason);
  }
}
