// Builds blocks in a worker thread, so that the event loop goes on receiving meanwhile.

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Encoding } from '../model/codec/encoding.ts';
import type { LogRecord } from '../storage/span_log.ts';
import type { Built } from './build_blocks.ts';
import { buffersOf, pack, type RecordPack } from './record_pack.ts';

export interface BlockBuilder {
  /** `encoding` is otlp_proto unless told. Rejects if the worker died: it may be repeated. */
  build(records: readonly LogRecord[], encoding?: Encoding): Promise<Built>;
  stop(): Promise<void>;
}

export interface BuildRequest {
  readonly id: number;
  readonly encoding: Encoding;
  readonly records: RecordPack;
}

export interface BuildReply extends Built {
  readonly id: number;
}

export interface WorkerSettings {
  readonly maxAgeSeconds: number;
}

interface Waiting {
  readonly worker: Worker;
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

  build(records: readonly LogRecord[], encoding: Encoding = 'otlp_proto'): Promise<Built> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { worker, resolve, reject });
      const request: BuildRequest = { id, encoding, records: pack(records) };
      worker.postMessage(request, buffersOf(request.records));
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
    // A thread that died is heard of twice, its error and its exit: the next one may be at work by then.
    for (const [id, waiting] of this.#waiting) {
      if (waiting.worker !== worker) continue;
      this.#waiting.delete(id);
      waiting.reject(error);
    }
  }
}
