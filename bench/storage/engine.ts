// The ClickHouse engine in this process (chDB), for this benchmark only: CPU time is the process's
// own.

import { type ChdbResult, Session } from 'chdb';

/** CPU is user + system of all threads of this process, the engine's background merges included. */
export interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** Merges start within this of an insert; so long without one counts as quiet. */
const QUIET_MS = 1_500;
const QUIET_MAX_MS = 300_000;

export class Engine {
  readonly #session: Session;

  constructor(folder: string) {
    // Caches as a small installation has them: the page cache stays with the system.
    this.#session = new Session(folder, { connectionArgs: ['--mark_cache_size=268435456'] });
  }

  /** Runs statements that have no result. */
  async run(sql: string): Promise<void> {
    await this.#session.queryAsync(sql, { format: 'Null' });
  }

  /** The result as the bytes a client would get. */
  async native(sql: string): Promise<ChdbResult> {
    return await this.#session.queryAsync(sql, { format: 'Native' });
  }

  /** Small results as text cells. */
  async rows(sql: string): Promise<string[][]> {
    const text = (await this.#session.queryAsync(sql, { format: 'TSV' })).text();
    const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
    return lines.map((line) => line.split('\t'));
  }

  async number(sql: string): Promise<number> {
    return Number((await this.rows(sql))[0]?.[0] ?? 0);
  }

  /**
   * Waits until no merge has run for a while; ClickHouse starts them within a second of an insert.
   */
  async quiet(): Promise<void> {
    const from = performance.now();
    let last = from;
    while (performance.now() - last < QUIET_MS) {
      if (performance.now() - from > QUIET_MAX_MS) throw new Error('Merges did not end in time.');
      await new Promise((resolve) => setTimeout(resolve, 100));
      if ((await this.number('SELECT count() FROM system.merges')) > 0) last = performance.now();
    }
  }

  /** Rows that merges have written since the engine was opened. */
  async mergedRows(): Promise<number> {
    return await this.number("SELECT value FROM system.events WHERE event = 'MergedRows'");
  }

  close(): void {
    this.#session.close();
  }
}

export async function measure(work: () => Promise<unknown>): Promise<Cost> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const wallMs = performance.now() - start;
  const used = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (used.user + used.system) / 1000 };
}
