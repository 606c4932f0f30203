// All-in-one's way from reply to store: requests gather in a group; while one group is being
// inserted the next gathers, and is built as soon as it is full; senders hear OK when their group is
// in the store. Bounded by bytes; a block that was not acknowledged is inserted again under its token.

import { BLOCK_ROWS_MAX } from '../model/limits.ts';
import { RefusalError } from '../service/refusal.ts';
import type { LogRecord } from '../storage/span_log.ts';
import type { SpanStore } from '../storage/span_store.ts';
import type { BlockBuilder } from './block_builder.ts';
import type { Built } from './build_blocks.ts';
import type { IngesterLedger } from './ingester_ledger.ts';
import { insertPatiently } from './insert_patiently.ts';
import { Linger } from './linger.ts';

/** A group is full at this many wire bytes: what becomes one block of 40 MiB at most. */
const GROUP_BYTES_MAX = 32 * 1024 * 1024;

const RETRY_AFTER_MS = 1000;

export interface GroupCommitDeps {
  readonly store: SpanStore;
  readonly builder: BlockBuilder;
  readonly ledger: IngesterLedger;
  /** Names this run of the process: tokens must never repeat. */
  readonly runId: string;
  /** Bytes that may wait; past them `busy`. */
  readonly queueBytesMax: number;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Told why a whole group was refused; its senders hear only what concerns them. */
  readonly failed: (error: Error) => void;
}

interface Waiting {
  readonly record: LogRecord;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class GroupCommit {
  readonly #deps: GroupCommitDeps;
  readonly #linger = new Linger();
  #open: Waiting[] = [];
  #openSpans = 0;
  #openBytes = 0;
  #openedMs = 0;
  #queuedBytes = 0;
  #sequence = 0;
  #inserting: Promise<void> | undefined;
  #stopping = false;
  #wake: () => void = () => {};
  readonly #loop: Promise<void>;

  constructor(deps: GroupCommitDeps) {
    this.#deps = deps;
    this.#loop = this.#run();
  }

  /** Bytes of requests that wait for their insert. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Implements Publish (storage/span_log.ts): resolves when the record is in the store. */
  publish(record: LogRecord): Promise<void> {
    if (this.#stopping) return Promise.reject(refusal('unavailable', 'shutting down'));
    const bytes = record.bytes.byteLength;
    if (this.#queuedBytes + bytes > this.#deps.queueBytesMax && this.#queuedBytes > 0) {
      const why = `${this.#queuedBytes} bytes wait for the store, the limit is ${this.#deps.queueBytesMax}`;
      return Promise.reject(refusal('busy', why));
    }
    return new Promise((resolve, reject) => {
      if (this.#open.length === 0) this.#openedMs = this.#deps.nowMs();
      this.#open.push({ record, resolve, reject });
      this.#openSpans += record.spans;
      this.#openBytes += bytes;
      this.#queuedBytes += bytes;
      this.#wake();
    });
  }

  /** Inserts what has been taken, then stops. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (await this.#groupIsReady()) {
      const group = this.#close();
      const built = await this.#build(group);
      await this.#inserting;
      if (built !== undefined) this.#start(this.#insert(group, built));
    }
    await this.#inserting;
  }

  #start(insertion: Promise<void>): void {
    this.#inserting = insertion.then(() => {
      this.#inserting = undefined;
    });
  }

  /** False once everything is in and we are stopping. */
  async #groupIsReady(): Promise<boolean> {
    for (;;) {
      if (this.#open.length === 0) {
        if (this.#stopping) return false;
        await this.#woken();
      } else if (this.#full() || this.#stopping) return true;
      else if (this.#inserting !== undefined) await this.#woken(this.#inserting);
      else {
        const group = { ...this.#group(), openedMs: this.#openedMs };
        const waitMs = this.#linger.remainingMs(group, this.#deps.nowMs());
        if (waitMs === 0) return true;
        await this.#woken(undefined, waitMs);
      }
    }
  }

  /** The next publish or stop, an insert's end, or the time, whichever comes first. */
  #woken(also?: Promise<void>, timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      void also?.then(this.#wake);
    });
  }

  #full(): boolean {
    return this.#openSpans >= BLOCK_ROWS_MAX || this.#openBytes >= GROUP_BYTES_MAX;
  }

  #group(): { requests: number; spans: number } {
    return { requests: this.#open.length, spans: this.#openSpans };
  }

  /** Takes the oldest requests, up to a full group; what is over opens the next one. */
  #close(): Waiting[] {
    this.#linger.closed(this.#group(), this.#deps.nowMs());
    let spans = 0;
    let bytes = 0;
    let count = 0;
    for (const { record } of this.#open) {
      const over =
        spans + record.spans > BLOCK_ROWS_MAX || bytes + record.bytes.byteLength > GROUP_BYTES_MAX;
      if (count > 0 && over) break;
      spans += record.spans;
      bytes += record.bytes.byteLength;
      count++;
    }
    const group = this.#open.splice(0, count);
    this.#openSpans -= spans;
    this.#openBytes -= bytes;
    this.#openedMs = this.#deps.nowMs();
    return group;
  }

  async #build(group: Waiting[]): Promise<Built | undefined> {
    const bytes = group.reduce((sum, { record }) => sum + record.bytes.byteLength, 0);
    try {
      const built = await this.#deps.builder.build(group.map(({ record }) => record));
      for (const place of built.failed) {
        group[place]?.reject(
          refusal('internal', 'these bytes passed the check but not the columns'),
        );
      }
      return built;
    } catch (cause) {
      this.#fail(group, refusal('unavailable', 'the block builder had to be restarted', cause));
      return undefined;
    } finally {
      this.#queuedBytes -= bytes;
    }
  }

  /** Never rejects: every request of the group is answered. */
  async #insert(group: readonly Waiting[], built: Built): Promise<void> {
    const startMs = this.#deps.nowMs();
    const name = `${this.#deps.runId}:${this.#sequence++}`;
    try {
      for (const [i, block] of built.blocks.entries()) {
        await insertPatiently({ token: `${name}:${i}`, ...block }, this.#deps);
      }
      // Only now: where a later block fails, the senders keep, and send again, the spans of all.
      this.#deps.ledger.stored(built.counts.spans);
      this.#deps.ledger.lost(built.counts);
      for (const waiting of group) waiting.resolve();
    } catch (error) {
      this.#fail(group, error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#linger.inserted(this.#deps.nowMs() - startMs);
    }
  }

  #fail(group: readonly Waiting[], error: Error): void {
    this.#deps.failed(error);
    for (const waiting of group) waiting.reject(error);
  }
}

function refusal(
  code: 'busy' | 'unavailable' | 'internal',
  message: string,
  cause?: unknown,
): RefusalError {
  if (code === 'internal') return new RefusalError({ code, message }, cause);
  return new RefusalError({ code, message, retryAfterMs: RETRY_AFTER_MS }, cause);
}
