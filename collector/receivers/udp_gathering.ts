// Datagrams gathered for a few milliseconds into one OTLP request: accepting each by itself would
// cost more than reading it. What is gathered or waits to be stored is in the memory budget; when
// that is full, a datagram is dropped and counted, since nobody would hear a refusal.

import { BatchBuilder } from '../../model/codec/jaeger/batch_builder.ts';
import { addDatagram, isZipkinDatagram } from '../../model/codec/jaeger/thrift_to_otlp.ts';
import { zipkinDatagramToOtlp } from '../../model/codec/jaeger/zipkin_datagram.ts';
import { DEFAULT_TENANT } from '../../model/limits.ts';
import type { MemoryBudget } from '../../service/memory_budget.ts';
import { RefusalError } from '../../service/refusal.ts';
import type { Accept } from '../batch.ts';

const RECEIVER = 'jaeger_udp';

/** Long enough to gather a hundred datagrams of a busy host, short against any reader's patience. */
const LINGER_MS = 5;

/** A request is handed on at this size: some 2,000 spans. */
const GATHER_BYTES = 1024 * 1024;

/** Of requests that wait for the store, beside the budget of the whole process. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;

/** One datagram of 64 KiB is never more than this as OTLP: it may be ten times its size. */
const REQUEST_BYTES_MAX = 16 * 1024 * 1024;

/** A store that is away is tried again for so long; the spans are dropped then. */
const TRIES_MAX = 30;
const RETRY_MS = 1000;

/** `ok`: gathered. `full`: no room to wait. `lost`: gathered, then not stored. */
export type DatagramOutcome = 'ok' | 'malformed' | 'too_large' | 'full' | 'lost';

export interface GatheringDeps {
  readonly accept: Accept;
  readonly budget: MemoryBudget;
  readonly count: (outcome: DatagramOutcome, datagrams: number) => void;
  readonly onBug: (error: unknown) => void;
}

export class UdpGathering {
  readonly #deps: GatheringDeps;
  readonly #builder = new BatchBuilder(REQUEST_BYTES_MAX);
  #zipkin: Uint8Array[] = [];
  #zipkinBytes = 0;
  #datagrams = 0;
  #timer: NodeJS.Timeout | undefined;
  #waitingBytes = 0;
  readonly #sending = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(deps: GatheringDeps) {
    this.#deps = deps;
  }

  /** Takes one datagram; its bytes are not kept. */
  add(datagram: Uint8Array): void {
    if (this.#waitingBytes >= WAITING_BYTES_MAX) {
      this.#deps.count('full', 1);
      return;
    }
    const problem = addDatagram(datagram, this.#builder) && this.#addOther(datagram);
    if (problem !== undefined) {
      this.#deps.count(problem.tooLarge ? 'too_large' : 'malformed', 1);
      return;
    }
    this.#datagrams++;
    if (this.#builder.length + this.#zipkinBytes >= GATHER_BYTES) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), LINGER_MS);
  }

  /** Hands on what was gathered, and waits for all of it, at most `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#flush();
    const cut = setTimeout(() => this.#stop.abort(), graceMs);
    await Promise.all(this.#sending);
    clearTimeout(cut);
  }

  /** The agent's other method; what is neither is answered for as the batch that it should be. */
  #addOther(datagram: Uint8Array): { readonly tooLarge: boolean } | undefined {
    if (!isZipkinDatagram(datagram)) return { tooLarge: false };
    const decoded = zipkinDatagramToOtlp(datagram, Date.now() * 1000);
    if (!decoded.ok) return decoded;
    this.#zipkin.push(decoded.bytes);
    this.#zipkinBytes += decoded.bytes.length;
    return undefined;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const datagrams = this.#datagrams;
    if (datagrams === 0) return;
    const jaeger = this.#builder.finish();
    // Requests one after the other are one request: all their fields are repeated.
    const bytes = this.#zipkin.length === 0 ? jaeger : Buffer.concat([jaeger, ...this.#zipkin]);
    this.#zipkin = [];
    this.#zipkinBytes = 0;
    this.#datagrams = 0;
    if (!this.#deps.budget.tryReserve(bytes.length)) {
      this.#deps.count('full', datagrams);
      return;
    }
    this.#waitingBytes += bytes.length;
    const sending = this.#send(bytes, datagrams).finally(() => {
      this.#deps.budget.release(bytes.length);
      this.#waitingBytes -= bytes.length;
      this.#sending.delete(sending);
    });
    this.#sending.add(sending);
  }

  /** Clients will not send again, so a store that is away is waited for. Never rejects. */
  async #send(bytes: Uint8Array, datagrams: number): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#deps.accept({ tenant: DEFAULT_TENANT, bytes, receiver: RECEIVER });
        this.#deps.count('ok', datagrams);
        return;
      } catch (error) {
        const delayMs = this.#retryDelay(error, tries);
        if (delayMs === undefined) {
          this.#deps.count('lost', datagrams);
          return;
        }
        await pause(delayMs, this.#stop.signal);
      }
    }
  }

  /** Undefined: give up. */
  #retryDelay(error: unknown, tries: number): number | undefined {
    if (!(error instanceof RefusalError)) {
      this.#deps.onBug(error);
      return undefined;
    }
    const { retryAfterMs } = error.refusal;
    if (retryAfterMs === undefined || tries === TRIES_MAX || this.#stop.signal.aborted) {
      return undefined;
    }
    return Math.max(retryAfterMs, RETRY_MS);
  }
}

/** Resolves after `ms`, or at once when the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
