// Trying for ever: what Kafka holds is safe, so trouble on the way to the store costs time only.

import type { Clock } from '../../service/clock.ts';
import { FencedError, OffsetGoneError } from '../../storage/partition_log.ts';
import { backoffMs } from '../backoff.ts';
import { HeldError } from './held.ts';

export interface PersistDeps {
  readonly clock: Clock;
  readonly random: () => number;
  /** Ends the attempts: the partition is no longer ours, or the process stops. */
  readonly signal: AbortSignal;
  /** Called before each wait. */
  readonly retried: (error: unknown, tries: number) => void;
  /** The wait after an error that only an operator can mend; undefined: an ordinary wait. */
  readonly waitMs?: (error: unknown) => number | undefined;
}

/** Thrown out of whatever a stopped partition was doing. */
export class StoppedError extends Error {
  constructor() {
    super('The partition was stopped.');
    this.name = 'StoppedError';
  }
}

/** Repeats `act` until it succeeds. Throws StoppedError, and what repeating cannot mend. */
export async function persist<T>(act: () => Promise<T>, deps: PersistDeps): Promise<T> {
  for (let tries = 0; ; tries++) {
    if (deps.signal.aborted) throw new StoppedError();
    try {
      const value = await act();
      if (deps.signal.aborted) throw new StoppedError();
      return value;
    } catch (error) {
      if (isFinal(error)) throw error;
      if (deps.signal.aborted) throw new StoppedError();
      deps.retried(error, tries);
      const waitMs = deps.waitMs?.(error) ?? backoffMs(tries, deps.random);
      await deps.clock.sleep(waitMs, deps.signal);
    }
  }
}

function isFinal(error: unknown): boolean {
  return (
    error instanceof FencedError ||
    error instanceof OffsetGoneError ||
    error instanceof HeldError ||
    error instanceof StoppedError
  );
}
