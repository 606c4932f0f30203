// Foreign formats to OTLP protobuf, off the event loop where the body is large. One thread: it does
// some 100 MB/s, which is more JSON than one collector should be sent.

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { RefusalError } from '../service/refusal.ts';
import type { ThreadJob } from './json_thread.ts';
import type { Reservation } from './receivers/reservation.ts';
import { type Format, type Translation, translate } from './translate.ts';

/** Up to here a body is transcoded at once: about 10 ms, a fifth of what the loop may be held. */
const INLINE_BYTES_MAX = 1024 * 1024;

/** Bodies waiting for the thread. At 64 MiB and 100 MB/s each, the last waits ten seconds: the
 * time that exporters give a request. */
const WAITING_MAX = 16;

const RETRY_AFTER_MS = 2000;

const MICROS_PER_MS = 1000;

/** The thread holds bodies outside its heap; inside are only tokens. */
const THREAD_HEAP_MIB = 64;

export interface JsonTranscoder {
  /**
   * ExportTraceServiceRequest bytes of a body in `format` (OTLP/JSON unless told), which is given
   * away. The bytes are charged to `reservation`. Throws RefusalError: `malformed`, `busy` (no
   * memory, or too many wait), `unavailable` (the client has left, so nobody will read it).
   */
  toProto(
    json: Uint8Array<ArrayBuffer>,
    reservation: Reservation,
    signal: AbortSignal,
    format?: Format,
  ): Promise<Uint8Array<ArrayBuffer>>;
}

interface Job extends ThreadJob {
  readonly signal: AbortSignal;
  readonly resolve: (answer: Translation) => void;
  readonly reject: (error: Error) => void;
}

export class JsonWorker implements JsonTranscoder {
  readonly #waiting: Job[] = [];
  #running: Job | undefined;
  /** Started with the first large body: most collectors never see one. */
  #thread: Worker | undefined;

  async toProto(
    json: Uint8Array<ArrayBuffer>,
    reservation: Reservation,
    signal: AbortSignal,
    format: Format = 'otlp_json',
  ): Promise<Uint8Array<ArrayBuffer>> {
    const expected = json.length;
    // Zipkin's spans are written twice: one by one, then put together by resource.
    const working = format === 'otlp_json' ? expected : 2 * expected;
    reservation.take(working);
    const job = { format, bytes: json, nowMicros: Date.now() * MICROS_PER_MS };
    const answer =
      expected <= INLINE_BYTES_MAX
        ? translate(format, json, job.nowMicros)
        : await this.#run(job, signal);
    if (!answer.ok) throw new RefusalError({ code: 'malformed', message: answer.message });
    const excess = answer.bytes.buffer.byteLength - working;
    if (excess > 0) reservation.take(excess);
    return answer.bytes;
  }

  /** Ends the thread; bodies that wait are refused. */
  async stop(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    this.#failAll(new RefusalError(leaving('the collector is stopping')));
    await thread?.terminate();
  }

  #run(job: ThreadJob, signal: AbortSignal): Promise<Translation> {
    if (this.#waiting.length >= WAITING_MAX) {
      throw new RefusalError({
        code: 'busy',
        message: `${WAITING_MAX} large bodies wait already: send it again later, or OTLP protobuf`,
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...job, signal, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    if (this.#running !== undefined) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    if (job.signal.aborted) {
      job.reject(new RefusalError(leaving('the client has left')));
      this.#next();
      return;
    }
    this.#running = job;
    this.#thread ??= this.#start();
    // Keeps the process up while a body is in it, and only then.
    this.#thread.ref();
    const { format, bytes, nowMicros } = job;
    this.#thread.postMessage({ format, bytes, nowMicros }, [bytes.buffer]);
  }

  #start(): Worker {
    // This file's own extension: .ts as it stands, .js in the published package.
    const name = `./json_thread${extname(import.meta.url)}`;
    const thread = new Worker(new URL(name, import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MIB },
    });
    thread.on('message', (answer: Translation) => {
      thread.unref();
      const job = this.#running;
      this.#running = undefined;
      job?.resolve(answer);
      this.#next();
    });
    // Out of memory, or a bug of ours: this body is lost, the next ones get a new thread.
    const died = (error: unknown): void => {
      if (this.#thread !== thread) return;
      this.#thread = undefined;
      const job = this.#running;
      this.#running = undefined;
      job?.reject(new Error('the JSON thread died', { cause: error }));
      this.#next();
    };
    thread.on('error', died);
    thread.on('exit', died);
    return thread;
  }

  #failAll(error: Error): void {
    this.#running?.reject(error);
    this.#running = undefined;
    for (const job of this.#waiting.splice(0)) job.reject(error);
  }
}

function leaving(why: string) {
  return { code: 'unavailable', message: `${why}: send it again`, retryAfterMs: 1000 } as const;
}
