// Jaeger over UDP, as its agent takes it: one Thrift message a datagram, compact or binary. All ports
// are read by one thread (udp/udp_thread.ts); this is its other side.

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type ListenAddress, ListenError } from '../../service/listen.ts';
import {
  type DatagramOutcome,
  type FromUdpThread,
  type Gathered,
  STOP,
  type UdpBound,
  type UdpThreadData,
} from './udp/messages.ts';
import { type WaitingDeps, WaitingRequests } from './udp/waiting.ts';

export interface JaegerUdpDeps extends WaitingDeps {
  /** The kernel's receive buffer of each socket, bytes. */
  readonly bufferBytes: number;
  /** `port` is the place in the list that was opened, as below. */
  readonly count: (port: number, outcome: DatagramOutcome, datagrams: number) => void;
  readonly receivedBytes: (bytes: number) => void;
  /** The thread died and another one took its place; some datagrams went by meanwhile. */
  readonly restarted: () => void;
  readonly note?: (message: string) => void;
  /** Another thread than ours, for tests. */
  readonly thread?: URL;
}

export interface JaegerUdp {
  readonly bound: readonly UdpBound[];
  /** Reads what has come, then waits for the store, at most `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** A thread that dies at once, again and again, shall not keep a core busy. */
const RESTART_MS = 1000;

/** Beside its heap, the thread holds what it gathers; inside are only small things. */
const THREAD_HEAP_MIB = 64;

/** Resolves when all ports are open. Throws ListenError. */
export async function startJaegerUdp(
  deps: JaegerUdpDeps,
  listen: readonly ListenAddress[],
): Promise<JaegerUdp> {
  const receiver = new UdpReceiver(deps);
  const bound = await receiver.open(listen);
  return { bound, stop: (graceMs) => receiver.stop(graceMs) };
}

class UdpReceiver {
  readonly #deps: JaegerUdpDeps;
  readonly #waiting: WaitingRequests;
  #thread: Worker | undefined;
  #restart: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(deps: JaegerUdpDeps) {
    this.#deps = deps;
    this.#waiting = new WaitingRequests(deps);
  }

  /** Throws ListenError. */
  async open(listen: readonly ListenAddress[]): Promise<readonly UdpBound[]> {
    const held = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const { bufferBytes } = this.#deps;
    const workerData: UdpThreadData = { listen, bufferBytes, held };
    const thread = new Worker(this.#deps.thread ?? threadFile(), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MIB },
    });
    this.#thread = thread;
    const opened = Promise.withResolvers<readonly UdpBound[]>();
    let bound: readonly UdpBound[] | undefined;
    thread.on('message', (message: FromUdpThread) => {
      if (message.kind === 'open') {
        bound = message.bound;
        opened.resolve(bound);
      } else if (message.kind === 'failed') {
        opened.reject(new ListenError(message.message, message.cause));
      } else this.#take(message, held);
    });
    let died: unknown = new Error('the thread that reads UDP has ended');
    thread.on('error', (error) => {
      died = error;
    });
    thread.on('exit', () => {
      // Its sockets went with it, so a bound port was ours: the next thread gets the same.
      if (bound === undefined) opened.reject(died);
      else if (!this.#stopping) this.#died(died, withPorts(listen, bound));
    });
    return opened.promise;
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const thread = this.#thread;
    const endMs = performance.now() + graceMs;
    if (thread !== undefined && thread.threadId !== -1) {
      thread.postMessage(STOP);
      const cut = setTimeout(() => thread.terminate(), Math.max(graceMs, 1));
      // Not by `once`, which rejects where the thread dies on the way: what waits is still sent.
      await new Promise<void>((resolve) => thread.once('exit', () => resolve()));
      clearTimeout(cut);
    }
    await this.#waiting.stop(Math.max(0, endMs - performance.now()));
  }

  #take(
    message: Exclude<FromUdpThread, { kind: 'open' | 'failed' }>,
    held: Int32Array<SharedArrayBuffer>,
  ): void {
    if (message.kind === 'note') this.#deps.note?.(message.message);
    else if (message.kind === 'bug') this.#deps.onBug(message.error);
    else this.#gathered(message, held);
  }

  #gathered(gathered: Gathered, held: Int32Array<SharedArrayBuffer>): void {
    const { port, bytes, datagrams, dropped } = gathered;
    const size = bytes.buffer.byteLength;
    this.#deps.receivedBytes(gathered.receivedBytes);
    for (const reason of ['malformed', 'too_large', 'full'] as const) {
      if (dropped[reason] > 0) this.#deps.count(port, reason, dropped[reason]);
    }
    const release = (): void => void Atomics.sub(held, 0, size);
    if (datagrams === 0) {
      release();
      return;
    }
    const count = (outcome: DatagramOutcome, of: number) => this.#deps.count(port, outcome, of);
    void this.#waiting.add(bytes, datagrams, count).then(release);
  }

  #died(error: unknown, listen: readonly ListenAddress[]): void {
    this.#deps.onBug(error);
    this.#restart = setTimeout(() => {
      this.open(listen).then(
        () => this.#deps.restarted(),
        (again: unknown) => {
          if (!this.#stopping) this.#died(again, listen);
        },
      );
    }, RESTART_MS);
  }
}

function threadFile(): URL {
  // This file's own extension: .ts as it stands, .js in the published package.
  return new URL(`./udp/udp_thread${extname(import.meta.url)}`, import.meta.url);
}

function withPorts(listen: readonly ListenAddress[], bound: readonly UdpBound[]): ListenAddress[] {
  return listen.map((address, i) => ({ ...address, port: bound[i]?.port ?? address.port }));
}
