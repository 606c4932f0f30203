// Gathered requests on their way to the store. Clients will not send again, so a store that is away
// is waited for; when there is no more room to wait, the oldest are dropped and counted.

import { DEFAULT_TENANT } from '../../../model/limits.ts';
import type { MemoryBudget } from '../../../service/memory_budget.ts';
import { RefusalError } from '../../../service/refusal.ts';
import type { Accept } from '../../batch.ts';
import type { DatagramOutcome } from './messages.ts';

const RECEIVER = 'jaeger_udp';

/** Of requests that wait for the store, beside the budget of the whole process. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;

/** A store that is away is tried again for so long; the spans are dropped then. */
const TRIES_MAX = 30;
const RETRY_MS = 1000;

export interface WaitingDeps {
  readonly accept: Accept;
  readonly budget: MemoryBudget;
  readonly onBug: (error: unknown) => void;
}

interface Request {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly datagrams: number;
  readonly count: (outcome: DatagramOutcome, datagrams: number) => void;
  /** Aborted: dropped, or the end of the grace. */
  readonly dropped: AbortController;
  /** Between two tries: only such a request can be dropped, the store may be taking the others. */
  isPausing: boolean;
}

export class WaitingRequests {
  readonly #deps: WaitingDeps;
  /** Oldest first. */
  readonly #requests = new Map<Request, Promise<void>>();
  #bytes = 0;
  #stopping = false;

  constructor(deps: WaitingDeps) {
    this.#deps = deps;
  }

  /** Sends `bytes`, which hold `datagrams`; `count` is told what became of them. */
  add(
    bytes: Uint8Array<ArrayBuffer>,
    datagrams: number,
    count: (outcome: DatagramOutcome, datagrams: number) => void,
  ): Promise<void> {
    const size = bytes.buffer.byteLength;
    if (!this.#reserve(size)) {
      count('full', datagrams);
      return Promise.resolve();
    }
    const dropped = new AbortController();
    const request: Request = { bytes, datagrams, count, dropped, isPausing: false };
    const sending = this.#send(request).finally(() => {
      if (this.#requests.delete(request)) this.#release(request);
    });
    this.#requests.set(request, sending);
    return sending;
  }

  /** Waits for all, at most `graceMs`; then those that wait for a store that is away are lost. */
  async stop(graceMs: number): Promise<void> {
    const cut = setTimeout(() => {
      this.#stopping = true;
      for (const { dropped } of this.#requests.keys()) dropped.abort();
    }, graceMs);
    await Promise.all(this.#requests.values());
    clearTimeout(cut);
  }

  /** Makes room by dropping the oldest; false when that was not enough. */
  #reserve(size: number): boolean {
    while (this.#bytes + size > WAITING_BYTES_MAX || !this.#deps.budget.tryReserve(size)) {
      const oldest = this.#requests.keys().find(({ isPausing }) => isPausing);
      if (oldest === undefined) return false;
      this.#requests.delete(oldest);
      this.#release(oldest);
      oldest.dropped.abort();
    }
    this.#bytes += size;
    return true;
  }

  #release({ bytes }: Request): void {
    this.#deps.budget.release(bytes.buffer.byteLength);
    this.#bytes -= bytes.buffer.byteLength;
  }

  /** Never rejects. */
  async #send(request: Request): Promise<void> {
    const { bytes, datagrams, count, dropped } = request;
    for (let tries = 1; ; tries++) {
      try {
        await this.#deps.accept({ tenant: DEFAULT_TENANT, bytes, receiver: RECEIVER });
        count('ok', datagrams);
        return;
      } catch (error) {
        const delayMs = this.#retryDelay(error, tries);
        if (delayMs === undefined) {
          count('lost', datagrams);
          return;
        }
        request.isPausing = true;
        await pause(delayMs, dropped.signal);
        request.isPausing = false;
        if (dropped.signal.aborted && !this.#stopping) {
          count('full', datagrams);
          return;
        }
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
    if (retryAfterMs === undefined || tries === TRIES_MAX || this.#stopping) return undefined;
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
