// Builds blocks in a worker thread, so that the event loop goes on receiving meanwhile.

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { NativeBlock, TranscodeCounts } from '../model/codec/otlp/transcoder.ts';
import type { LogRecord } from '../storage/span_log.ts';

export interface Built {
  readonly blocks: readonly NativeBlock[];
  readonly counts: TranscodeCounts;
  /** Places in the group of records that could not be transcoded; they are in no block. */
  readonly failed: readonly number[];
}

export interface BlockBuilder {
  /** Takes the records' bytes over. Rejects if the worker died; the records are lost to us then. */
  build(records: readonly LogRecord[]): Promise<Built>;
  stop(): Promise<void>;
}

export interface BuildRequest {
  readonly id: number;
  readonly records: readonly Omit<LogRecord, 'spans'>[];
}

export interface BuildReply extends Built {
  readonly id: number;
}

export interface WorkerSettings {
  readonly maxAgeSeconds: number;
}

interface Waiting {
  readonly resolve: (built: Built) => void;
  readonly reject: (error: Error) => void;
}

/** Starts the worker; a dead one is replaced at the next build. */
export function startBlockBuilder(settings: WorkerSettings): BlockBuilder {
  return new WorkerBlockBuilder(settings);
}

class WorkerBlockBuilder implements BlockBuilder {
  readonly #settings: WorkerSettings;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #nextId = 1;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
    this.#worker = this.#start();
  }

  build(records: readonly LogRecord[]): Promise<Built> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      const own = records.map((record) => ({ ...record, bytes: owned(record.bytes) }));
      const request: BuildRequest = { id, records: own };
      worker.postMessage(
        request,
        own.map((record) => record.bytes.buffer),
      );
    });
  }

  async stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Worker {
    const file = new URL(`./block_worker${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(file, { workerData: this.#settings });
    worker.on('message', (reply: BuildReply) => {
      this.#waiting.get(reply.id)?.resolve(reply);
      this.#waiting.delete(reply.id);
    });
    worker.on('error', (error) => this.#lose(worker, error));
    worker.on('exit', () => this.#lose(worker, new Error('the block builder stopped')));
    worker.unref();
    return worker;
  }

  #lose(worker: Worker, error: Error): void {
    if (this.#worker === worker) this.#worker = undefined;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}

/** Bytes on an ArrayBuffer of their own, so that it can be transferred instead of copied. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  if (whole && bytes.buffer instanceof ArrayBuffer) return bytes as Uint8Array<ArrayBuffer>;
  return new Uint8Array(bytes);
}
