// A fixed number of engine sessions, each for one query at a time, and a bounded queue before them.

import type { Engine, EngineSession } from './engine.ts';
import { refuse } from './engine_error.ts';
import { literal } from './sql.ts';

/** What a session must be set to before its query runs. Sessions that fit are used again. */
export interface SessionSetup {
  readonly database: string;
  readonly settings: ReadonlyMap<string, string>;
}

export interface PoolOptions {
  /** Goes into the sessions' tags. */
  readonly name: string;
  readonly size: number;
  /** Settings of every session; a setup's own must have been checked against them. */
  readonly forced: ReadonlyMap<string, string>;
  readonly waitersMax: number;
  readonly waitMsMax: number;
}

interface Slot {
  session: EngineSession | undefined;
  setup: string;
  busy: boolean;
}

interface Waiter {
  readonly resume: (slot: Slot) => void;
  readonly timer: NodeJS.Timeout;
}

export class SessionPool {
  readonly #engine: Engine;
  readonly #options: PoolOptions;
  readonly #slots: Slot[];
  readonly #waiters: Waiter[] = [];
  #opened = 0;

  constructor(engine: Engine, options: PoolOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#slots = Array.from({ length: options.size }, () => ({
      session: undefined,
      setup: '',
      busy: false,
    }));
  }

  /**
   * Runs `work` on a session of its own. Throws EngineError: 202 when the queue is full or the
   * wait too long, else what preparing the session or `work` throws.
   */
  async use<T>(setup: SessionSetup, work: (session: EngineSession) => Promise<T>): Promise<T> {
    const key = JSON.stringify([setup.database, [...setup.settings]]);
    const slot = await this.#take(key);
    try {
      return await work(await this.#prepare(slot, key, setup));
    } finally {
      this.#release(slot);
    }
  }

  /** Closes the sessions; call it when no query runs. */
  close(): void {
    for (const slot of this.#slots) slot.session?.close();
  }

  #take(key: string): Promise<Slot> {
    const free = this.#slots.filter((slot) => !slot.busy);
    // Sessions of other setups are kept while there are unused ones: setting one up costs 3 ms.
    const slot =
      free.find((one) => one.setup === key) ??
      free.find((one) => one.session === undefined) ??
      free[0];
    if (slot !== undefined) {
      slot.busy = true;
      return Promise.resolve(slot);
    }
    if (this.#waiters.length >= this.#options.waitersMax) return Promise.reject(this.#tooMany());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(this.#tooMany());
      }, this.#options.waitMsMax);
      const waiter = { resume: resolve, timer };
      this.#waiters.push(waiter);
    });
  }

  #release(slot: Slot): void {
    const next = this.#waiters.shift();
    if (next === undefined) {
      slot.busy = false;
      return;
    }
    clearTimeout(next.timer);
    next.resume(slot);
  }

  /** A readonly session cannot be changed back, so another setup gets a new one (0.4 ms). */
  async #prepare(slot: Slot, key: string, setup: SessionSetup): Promise<EngineSession> {
    if (slot.session !== undefined && slot.setup === key) return slot.session;
    slot.session?.close();
    slot.session = undefined;
    this.#opened += 1;
    const session = this.#engine.open(`${this.#options.name}-${this.#opened}`);
    try {
      await session.run(`USE \`${setup.database}\``, 'Null');
      const settings = new Map([['log_comment', session.tag], ...setup.settings]);
      for (const [name, value] of this.#options.forced) {
        if (!settings.has(name)) settings.set(name, value);
      }
      const list = [...settings].map(([name, value]) => `${name} = ${literal(value)}`);
      await session.run(`SET ${list.join(', ')}`, 'Null');
    } catch (error) {
      session.close();
      throw error;
    }
    slot.session = session;
    slot.setup = key;
    return session;
  }

  #tooMany() {
    return refuse(
      202,
      `All ${this.#options.size} sessions of the embedded engine are busy and ` +
        `${this.#options.waitersMax} more queries may wait ${this.#options.waitMsMax} ms: try again.`,
    );
  }
}
