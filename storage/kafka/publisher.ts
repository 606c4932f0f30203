// From requests to acknowledged records: gathers what arrives while a send runs, sends it in one go,
// answers each sender when every replica has its record. One send at a time, on purpose: see
// driver.ts. Bounded by bytes; senders hear within about a second that brokers are in trouble.

import type { LogRecord } from '../span_log.ts';
import type { Driver, OpenDriver } from './driver.ts';
import { Patience } from './patience.ts';
import { PublishError } from './publish_error.ts';
import { recordSize, SendPlan } from './send_plan.ts';

/** How often waiting senders are looked at. */
const WATCH_MS = 100;

/** A send unanswered for so long is given up: one lost answer and one repetition fit into it. */
const ABANDON_MS = 12_000;

/** An attempt to open that hangs longer is given up; a healthy cluster needs well under a second. */
const OPEN_MS = 20_000;

const BACKOFF_MS_MIN = 200;
const BACKOFF_MS_MAX = 2000;

/** What senders are told, spread so that they do not come back all at once. */
const RETRY_AFTER_MS_MIN = 1000;
const RETRY_AFTER_MS_MAX = 3000;

/** For senders: what exactly is wrong with the brokers is for the log and the readiness page. */
const NO_ANSWER =
  'the log behind this collector does not answer: send the same request again later';
const STOPPING = 'the collector is stopping: send the same request again';
const STALLED = 'the brokers have stopped to acknowledge records';

export interface PublisherLedger {
  /** Records that the log has acknowledged. */
  published(records: number, spans: number, bytes: number, seconds: number): void;
  /** A send failed or was given up; nobody knows whether it was written. */
  sendFailed(): void;
}

export interface PublisherDeps {
  readonly openDriver: OpenDriver;
  readonly ledger: PublisherLedger;
  /** Bytes of one batch, i.e. the broker's limit for messages less some overhead. */
  readonly batchBytesMax: number;
  /** Bytes that wait or are on their way; past them `busy`. */
  readonly queueBytesMax: number;
  /** How long the first record of a send waits for company. */
  readonly lingerMs: number;
  /** Told why the brokers cannot be reached, once a change; undefined: they can again. */
  readonly onTrouble: (reason: string | undefined) => void;
}

interface Waiting {
  readonly record: LogRecord;
  readonly sinceMs: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Publisher {
  readonly #deps: PublisherDeps;
  readonly #plan: SendPlan;
  readonly #patience = new Patience();
  readonly #watch: NodeJS.Timeout;
  readonly #loop: Promise<void>;
  #waiting: Waiting[] = [];
  #sending: readonly Waiting[] = [];
  #sendingSinceMs = 0;
  #bytes = 0;
  #waitingBytes = 0;
  #trouble: string | undefined = 'not connected to a broker yet';
  #told = this.#trouble;
  #stopping = false;
  #wake: () => void = () => {};
  /** Ends a send, an attempt to open, or a pause between attempts. */
  #giveUp: (error: Error) => void = () => {};

  /** Connects at once, and again for as long as it takes. */
  constructor(deps: PublisherDeps) {
    this.#deps = deps;
    this.#plan = new SendPlan(deps.batchBytesMax);
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
    this.#loop = this.#run();
  }

  /** Bytes of records that wait or are on their way. */
  get queuedBytes(): number {
    return this.#bytes;
  }

  /** How long the oldest record waits for its acknowledgement, milliseconds; 0: none does. */
  get oldestWaitMs(): number {
    const oldest = this.#sending[0] ?? this.#waiting[0];
    return oldest === undefined ? 0 : performance.now() - oldest.sinceMs;
  }

  /** Why records are refused right now, as one plain sentence; undefined when they are taken. */
  get trouble(): string | undefined {
    if (this.#trouble !== undefined) return this.#trouble;
    return this.#stalled() ? STALLED : undefined;
  }

  /**
   * Resolves when the record is on every in-sync replica. Throws PublishError; after `unavailable`
   * it may be in the log all the same. The record must fit into a batch (recordSize).
   */
  publish(record: LogRecord): Promise<void> {
    if (this.#stopping) return Promise.reject(unavailable(STOPPING));
    if (this.trouble !== undefined) return Promise.reject(unavailable(NO_ANSWER));
    const size = recordSize(record);
    if (size > this.#deps.batchBytesMax) {
      const why = `a record of ${size} bytes, the limit is ${this.#deps.batchBytesMax}`;
      return Promise.reject(new RangeError(why));
    }
    if (this.#bytes > 0 && this.#bytes + size > this.#deps.queueBytesMax) {
      const why = `${this.#bytes} bytes wait for Kafka, the limit is ${this.#deps.queueBytesMax}`;
      return Promise.reject(new PublishError('busy', why, retryAfterMs()));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, sinceMs: performance.now(), resolve, reject });
      this.#bytes += size;
      this.#waitingBytes += size;
      this.#wake();
    });
  }

  /** Sends what was taken, for at most `graceMs`, then lets go of the brokers. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#wake();
    if (this.#trouble !== undefined) this.#giveUp(new Error('stopping'));
    const late = setTimeout(() => {
      this.#refuseAll(STOPPING);
      this.#giveUp(new Error('stopping'));
    }, graceMs);
    await this.#loop;
    clearTimeout(late);
    clearInterval(this.#watch);
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stopping) {
      let driver: Driver | undefined;
      try {
        driver = await this.#open();
        failures = 0;
        await this.#serve(driver);
      } catch (error) {
        this.#setTrouble(reasonOf(error));
        this.#refuseAll(NO_ANSWER);
      }
      await driver?.close();
      if (!this.#stopping) await this.#pause(failures++);
    }
    this.#refuseAll(STOPPING);
  }

  async #open(): Promise<Driver> {
    const opening = this.#deps.openDriver();
    try {
      const driver = await this.#orGivenUp(opening, OPEN_MS, 'no broker has answered');
      this.#plan.partitions(driver.partitions);
      this.#setTrouble(undefined);
      return driver;
    } catch (error) {
      // One that opens after we have given it up must not stay open.
      opening.then((late) => late.close()).catch(() => undefined);
      throw error;
    }
  }

  /** Sends until a send fails (throws), or all is sent and we are stopping. */
  async #serve(driver: Driver): Promise<void> {
    for (;;) {
      if (this.#waiting.length === 0) {
        if (this.#stopping) return;
        await this.#woken();
        continue;
      }
      await this.#linger();
      if (this.#waiting.length > 0) await this.#send(driver);
    }
  }

  /** Waits for company, unless there is enough already. */
  async #linger(): Promise<void> {
    const endMs = (this.#waiting[0]?.sinceMs ?? 0) + this.#deps.lingerMs;
    while (!this.#stopping && this.#waitingBytes < this.#deps.batchBytesMax) {
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) return;
      await this.#woken(leftMs);
    }
  }

  async #send(driver: Driver): Promise<void> {
    const { taken, messages } = this.#plan.next(this.#waiting);
    const size = sizeOf(taken);
    this.#waitingBytes -= size;
    this.#sending = taken;
    this.#sendingSinceMs = performance.now();
    try {
      const sent = driver.send(messages);
      await this.#orGivenUp(sent, ABANDON_MS, STALLED);
      const tookMs = performance.now() - this.#sendingSinceMs;
      this.#patience.acknowledged(tookMs);
      this.#count(messages.length, taken, size, tookMs);
      for (const waiting of taken) waiting.resolve();
    } catch (error) {
      this.#deps.ledger.sendFailed();
      const refusal = unavailable(NO_ANSWER);
      for (const waiting of taken) waiting.reject(refusal);
      this.#patience.lost();
      throw error;
    } finally {
      this.#sending = [];
      this.#bytes -= size;
      this.#tell();
    }
  }

  #count(records: number, taken: readonly Waiting[], size: number, tookMs: number): void {
    const spans = taken.reduce((sum, { record }) => sum + record.spans, 0);
    this.#deps.ledger.published(records, spans, size, tookMs / 1000);
  }

  /** Ends with `work`, after `ms`, or when stop wants no more of it. */
  #orGivenUp<T>(work: Promise<T>, ms: number, why: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(why)), ms);
      this.#giveUp = reject;
      work.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  async #pause(failures: number): Promise<void> {
    const ms = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(failures, 10));
    const never = new Promise<void>(() => {});
    await this.#orGivenUp(never, between(ms / 2, ms), 'pause').catch(() => undefined);
  }

  /** Called on a timer: whoever has waited longer than brokers usually take is told to come again. */
  #look(): void {
    const beforeMs = performance.now() - this.#patience.ms;
    const refusal = unavailable(NO_ANSWER);
    const patient = this.#waiting.findIndex(({ sinceMs }) => sinceMs >= beforeMs);
    const late = this.#waiting.splice(0, patient === -1 ? this.#waiting.length : patient);
    if (late.length > 0) {
      const size = sizeOf(late);
      this.#bytes -= size;
      this.#waitingBytes -= size;
    }
    for (const { reject } of late) reject(refusal);
    // What is on its way keeps its bytes until its fate is known; a second answer changes nothing.
    for (const { sinceMs, reject } of this.#sending) if (sinceMs < beforeMs) reject(refusal);
    this.#tell();
  }

  #stalled(): boolean {
    const waitedMs = performance.now() - this.#sendingSinceMs;
    return this.#sending.length > 0 && waitedMs > this.#patience.ms;
  }

  /** Everyone who waits; what is being sent is answered by its send. */
  #refuseAll(why: string): void {
    const refusal = unavailable(why);
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes -= this.#waitingBytes;
    this.#waitingBytes = 0;
    for (const { reject } of waiting) reject(refusal);
  }

  #setTrouble(reason: string | undefined): void {
    this.#trouble = reason;
    this.#tell();
  }

  /** Each change once. */
  #tell(): void {
    const { trouble } = this;
    if (this.#told === trouble) return;
    this.#told = trouble;
    this.#deps.onTrouble(trouble);
  }

  /** The next publish or stop, or the time. */
  #woken(timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function sizeOf(waiting: readonly Waiting[]): number {
  return waiting.reduce((sum, { record }) => sum + recordSize(record), 0);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function unavailable(why: string): PublishError {
  return new PublishError('unavailable', why, retryAfterMs());
}

function retryAfterMs(): number {
  return Math.round(between(RETRY_AFTER_MS_MIN, RETRY_AFTER_MS_MAX));
}

function between(min: number, max: number): number {
  return min + Math.random() * (max - min);
}
