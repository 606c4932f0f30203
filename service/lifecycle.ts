// The life of a process: parts start in order and stop in reverse, within one grace period (P11).

import { type Clock, systemClock } from './clock.ts';
import type { Log } from './log.ts';

/** Whatever was started and has to be stopped. */
export interface Part {
  /** Finishes what it can within `graceMs`, then lets go. */
  stop(graceMs: number): Promise<void> | void;
}

export class Lifecycle {
  readonly #log: Log;
  readonly #graceMs: number;
  readonly #clock: Clock;
  #stopping = false;
  readonly #parts: { readonly name: string; readonly part: Part }[] = [];

  constructor(log: Log, graceMs: number, clock: Clock = systemClock) {
    this.#log = log;
    this.#graceMs = graceMs;
    this.#clock = clock;
  }

  /**
   * Starts a part; it will be stopped before all that were started earlier. Throws when the process
   * is being stopped meanwhile.
   */
  async start<P extends Part>(name: string, open: () => Promise<P> | P): Promise<P> {
    const part = await open();
    if (this.#stopping) {
      await this.#stopOne(name, part, 0);
      throw new Error(`stopped while ${name} was starting`);
    }
    this.#parts.push({ name, part });
    return part;
  }

  /** A part that throws or outlives the grace is logged and left behind; the others still stop. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const endMs = this.#clock.monotonicMs() + this.#graceMs;
    for (let last = this.#parts.pop(); last !== undefined; last = this.#parts.pop()) {
      const leftMs = Math.max(0, endMs - this.#clock.monotonicMs());
      await this.#stopOne(last.name, last.part, leftMs);
    }
  }

  async #stopOne(name: string, part: Part, leftMs: number): Promise<void> {
    const controller = new AbortController();
    const late = this.#clock.sleep(leftMs + OVERTIME_MS, controller.signal).then(() => 'late');
    try {
      const stopped = Promise.resolve(part.stop(leftMs)).then(() => 'stopped');
      if ((await Promise.race([stopped, late])) === 'late') {
        this.#log.error('a part did not stop in time', { part: name, graceMs: leftMs });
      }
    } catch (error) {
      this.#log.error('a part did not stop cleanly', { part: name, error });
    } finally {
      controller.abort();
    }
  }
}

/** A part that cuts its work at the end of the grace needs a moment to do so. */
const OVERTIME_MS = 500;

/** One Ctrl-C may arrive twice, from the terminal and from npm: only a later one is impatience. */
const ECHO_MS = 1000;

/** What `runService` needs of `process`; a parameter so that tests need no real signals. */
export interface ProcessEvents {
  on(event: string, listener: (detail: unknown) => void): unknown;
  off(event: string, listener: (detail: unknown) => void): unknown;
}

export interface ServiceOptions {
  readonly log: Log;
  readonly graceMs: number;
  /** Starts everything by `life.start`. When it throws, what had started is stopped again. */
  readonly start: (life: Lifecycle) => Promise<void>;
  /** Called first when the process is asked to stop: become unready here. */
  readonly draining?: () => void;
  readonly events?: ProcessEvents;
  readonly clock?: Clock;
  readonly exit?: (code: number) => void;
}

/**
 * Runs until SIGTERM or SIGINT, then stops all parts and returns the exit code. A second signal
 * ends the process at once. A rejection that nobody handles is a bug: logged, exit 1.
 */
export async function runService(options: ServiceOptions): Promise<number> {
  const { log, events = process, clock = systemClock } = options;
  const exit = options.exit ?? ((code: number) => process.exit(code));
  const asked = Promise.withResolvers<string>();
  let firstMs: number | undefined;
  const onSignal = (signal: string) => (): void => {
    firstMs ??= clock.monotonicMs();
    asked.resolve(signal);
    if (clock.monotonicMs() - firstMs > ECHO_MS) exit(1);
  };
  const onBug = (error: unknown): void => {
    log.error('a bug of ours: an error that nobody handled; the process ends', { error });
    exit(1);
  };
  const listeners: readonly [string, (detail: unknown) => void][] = [
    ['SIGTERM', onSignal('SIGTERM')],
    ['SIGINT', onSignal('SIGINT')],
    ['unhandledRejection', onBug],
    ['uncaughtException', onBug],
  ];
  for (const [event, listener] of listeners) events.on(event, listener);
  const life = new Lifecycle(log, options.graceMs, clock);
  try {
    const started = options.start(life);
    // Asked to stop before all is up: the rest of the start then ends by an error of no interest.
    started.catch(() => undefined);
    await Promise.race([started, asked.promise]);
    log.info('stopping', { signal: await asked.promise, graceMs: options.graceMs });
    options.draining?.();
    await life.stop();
    log.info('stopped');
    return 0;
  } catch (error) {
    log.error(`cannot start: ${error instanceof Error ? error.message : String(error)}`);
    log.debug('where it failed', { error });
    await life.stop();
    return 1;
  } finally {
    for (const [event, listener] of listeners) events.off(event, listener);
  }
}
