// The queries under way, by their query id, so that they can be killed.

import type { Engine, EngineSession } from './engine.ts';
import { refuse } from './engine_error.ts';
import { literal } from './sql.ts';
import type { Role } from './statement.ts';

interface Entry {
  readonly role: Role;
  /** Set while the engine works on it. */
  tag: string | undefined;
  cancelled: boolean;
  /** A kill that was sent: the session must not take another query before it has landed. */
  kill: Promise<void>;
}

export class RunningQueries {
  readonly #entries = new Map<string, Entry>();
  readonly #control: EngineSession;

  constructor(engine: Engine) {
    // Its own session, so that a kill never waits behind what it should kill.
    this.#control = engine.open('control');
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Registers a query for as long as `work` runs. Throws EngineError 216 for an id in use. */
  async track<T>(id: string, role: Role, work: (query: Tracked) => Promise<T>): Promise<T> {
    if (this.#entries.has(id)) throw refuse(216, 'A query with this query_id is running already.');
    const entry: Entry = { role, tag: undefined, cancelled: false, kill: Promise.resolve() };
    this.#entries.set(id, entry);
    try {
      return await work({
        async on(session, run) {
          if (entry.cancelled) throw cancelled();
          entry.tag = session.tag;
          try {
            return await run();
          } finally {
            entry.tag = undefined;
            await entry.kill;
            // chDB keeps a cancelled query in its process list, with the parts it read, until the
            // session runs another.
            if (entry.cancelled) await session.run('SELECT 1', 'Null').catch(() => undefined);
          }
        },
      });
    } finally {
      this.#entries.delete(id);
    }
  }

  /**
   * Cancels a query; false where there is none of that id that `role` may kill (the query role:
   * its own only).
   */
  kill(id: string, role: Role): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined || (role === 'query' && entry.role !== 'query')) return false;
    entry.cancelled = true;
    if (entry.tag !== undefined) {
      const where = `Settings['log_comment'] = ${literal(entry.tag)}`;
      // ASYNC: SYNC waits for the process list entry, which goes with the session's next query.
      const sent = this.#control.run(`KILL QUERY WHERE ${where} ASYNC`, 'Null');
      entry.kill = sent.then(
        () => undefined,
        () => undefined,
      );
    }
    return true;
  }

  close(): void {
    this.#control.close();
  }
}

export interface Tracked {
  on<T>(session: EngineSession, run: () => Promise<T>): Promise<T>;
}

function cancelled() {
  return refuse(394, 'The query was cancelled before it began.');
}
