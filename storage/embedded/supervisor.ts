// Keeps the child process with the embedded engine alive, and gives out clients to it. Measured on
// two busy cores: start to ready 0.35 to 0.65 s, 280 MB resident when idle, 250 to 430 ms for an
// insert of a 10 MB Native block into all tables.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { totalmem } from 'node:os';
import { extname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ClickHouseAccess, checkDatabase } from '../clickhouse/client.ts';
import { StoreError } from '../span_store.ts';
import { embeddedAccess } from './access.ts';
import { MEMORY_BYTES_MIN } from './engine.ts';
import { type ChildOptions, type ChildReply, firstLine, STOP_LINE } from './handshake.ts';
import { READ_SESSIONS, WRITE_SESSIONS } from './limits.ts';
import type { Role } from './statement.ts';

export interface EmbeddedOptions {
  /** Created where it is missing. One process at a time may hold it. */
  readonly dataDir: string;
  /** Cap on the engine's memory, at least MEMORY_BYTES_MIN; default a quarter of the machine's. */
  readonly memoryBytes?: number;
  readonly database?: string;
  /** Queries at a time. */
  readonly readSessions?: number;
  /** Inserts and schema changes at a time. */
  readonly writeSessions?: number;
}

export type EmbeddedState = 'ready' | 'restarting' | 'stopped';

export interface Embedded {
  readonly state: EmbeddedState;
  /** The child's process id while it runs. */
  readonly pid: number | undefined;
  readonly access: ClickHouseAccess;
  /** Where the engine listens now; the port changes with a restart. Waits as access does. */
  url(): Promise<string>;
  /** User and password of a role, for another process that is told the URL. */
  credentials(role: Role): { readonly user: Role; readonly password: string };
  /** Told one plain sentence each time the child died unasked. Returns a way to unsubscribe. */
  onDeath(listener: (message: string) => void): () => void;
  /** Lets queries under way end, then ends the child. */
  stop(): Promise<void>;
}

/** Opening 100 GB of parts took seconds; a child that says nothing for so long is stuck. */
const START_MS_MAX = 60_000;

/** Requests wait this long for a restart, then get a retryable error: most restarts take < 1 s. */
const RESTART_WAIT_MS_MAX = 10_000;

/** Between restarts, doubling; a child that ran for CALM_MS starts over at the first. */
const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 5_000;
const CALM_MS = 30_000;

/** Longer than the child's own STOP_MS_MAX; then it is killed, which is safe. */
const STOP_KILL_MS = 15_000;

/** Not more than this unless asked: a laptop has other things to do. */
const MEMORY_BYTES_DEFAULT_MAX = 2 * 1024 * 1024 * 1024;

/**
 * Starts the engine and waits until it serves. Throws Error with one plain sentence when it cannot
 * be opened (directory in use or not writable, engine not installed).
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const supervisor = new Supervisor(options);
  await supervisor.start();
  return supervisor;
}

class Supervisor implements Embedded {
  readonly access: ClickHouseAccess;
  readonly #options: ChildOptions;
  readonly #listeners = new Set<(message: string) => void>();
  #state: EmbeddedState = 'restarting';
  #child: ChildProcess | undefined;
  #port = 0;
  #stderrTail = '';
  #wake = Promise.withResolvers<void>();

  constructor(options: EmbeddedOptions) {
    const memoryBytes = options.memoryBytes ?? defaultMemory();
    if (!(memoryBytes >= MEMORY_BYTES_MIN)) {
      throw new Error(
        `Expected at least ${MEMORY_BYTES_MIN} bytes of memory for the embedded engine, got ` +
          `${memoryBytes}; raise the setting.`,
      );
    }
    this.#options = {
      dataDir: resolve(options.dataDir),
      memoryBytes,
      readSessions: options.readSessions ?? READ_SESSIONS,
      writeSessions: options.writeSessions ?? WRITE_SESSIONS,
      secrets: { ingest: secret(), query: secret() },
    };
    this.access = embeddedAccess(this, checkDatabase(options.database ?? 'spanhouse'));
  }

  get state(): EmbeddedState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  credentials(role: Role) {
    return { user: role, password: this.#options.secrets[role] };
  }

  onDeath(listener: (message: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async url(): Promise<string> {
    if (this.#state === 'restarting') {
      const timer = new AbortController();
      const wait = sleep(RESTART_WAIT_MS_MAX, undefined, { signal: timer.signal });
      await Promise.race([this.#wake.promise, wait.catch(() => undefined)]);
      timer.abort();
    }
    if (this.#state === 'ready') return `http://127.0.0.1:${this.#port}`;
    const stopped = this.#state === 'stopped';
    throw new StoreError(
      stopped
        ? 'The embedded engine was stopped.'
        : 'The embedded engine is being restarted; try again.',
      !stopped,
    );
  }

  /** Throws Error when the child says that it cannot serve. */
  async start(): Promise<void> {
    const child = this.#spawn();
    this.#child = child;
    const exited = new Promise<ChildReply>((resolve) => {
      child.once('exit', (code, signal) =>
        resolve({ error: `The embedded engine ended at its start (${signal ?? code}).` }),
      );
      child.once('error', (error) =>
        resolve({ error: `The embedded engine did not start: ${error.message}.` }),
      );
    });
    const reply = await Promise.race([readReply(child), exited]);
    if ('error' in reply) throw new Error(await this.#startError(child, reply.error));
    if (this.#state === 'stopped') return void child.kill('SIGKILL');
    this.#port = reply.port;
    this.#state = 'ready';
    this.#wake.resolve();
    const startedMs = performance.now();
    const died = () => {
      if (this.#child === child) void this.#restart(performance.now() - startedMs);
    };
    if (child.exitCode !== null || child.signalCode !== null) died();
    else child.once('exit', died);
  }

  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#wake.resolve();
    await this.access.close();
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.stdin?.write(STOP_LINE);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_KILL_MS);
    await exited;
    clearTimeout(timer);
  }

  async #restart(livedMs: number): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'restarting';
    this.#wake = Promise.withResolvers<void>();
    this.#tell(`The embedded engine died${this.#lastWords()}; it is being restarted.`);
    let backoffMs = livedMs > CALM_MS ? 0 : BACKOFF_MS_MIN;
    for (;;) {
      await sleep(backoffMs);
      if (this.#isStopped()) return;
      try {
        return await this.start();
      } catch (error) {
        if (this.#isStopped()) return;
        this.#tell(error instanceof Error ? error.message : String(error));
        backoffMs = Math.min(Math.max(backoffMs * 2, BACKOFF_MS_MIN), BACKOFF_MS_MAX);
      }
    }
  }

  #isStopped(): boolean {
    return this.#state === 'stopped';
  }

  #tell(message: string): void {
    for (const listener of this.#listeners) listener(message);
  }

  #spawn(): ChildProcess {
    // The same suffix as this file's: .ts in the repository, .js in a packed build.
    const entry = new URL(`./child${extname(import.meta.url)}`, import.meta.url);
    const child = spawn(process.execPath, [fileURLToPath(entry)], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: childEnvironment(this.#options),
    });
    child.on('error', () => undefined);
    child.stdin?.on('error', () => undefined);
    child.stdin?.write(`${JSON.stringify(this.#options)}\n`);
    this.#stderrTail = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderrTail = (this.#stderrTail + chunk.toString()).slice(-STDERR_CHARS_MAX);
    });
    return child;
  }

  /** What the child said, or the reason that the engine printed, which is nearer to the cause. */
  async #startError(child: ChildProcess, message: string): Promise<string> {
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await Promise.race([closed, sleep(LAST_WORDS_MS)]);
    const { dataDir } = this.#options;
    if (/Cannot lock file|Another server instance/.test(this.#stderrTail)) {
      return (
        `The data directory ${dataDir} is in use by another Spanhouse process: stop that one, or ` +
        'choose another directory.'
      );
    }
    const reason = /DB::Exception: ([^\n]{1,300})/.exec(this.#stderrTail)?.[1];
    return reason === undefined ? message : `Cannot open the data directory ${dataDir}: ${reason}`;
  }

  /** The head of a crash report, without what might come from a query. */
  #lastWords(): string {
    const signal = this.#child?.signalCode ?? this.#child?.exitCode ?? 'unknown';
    const reason = /(Received signal [^\n]{0,100}|out of memory)/i.exec(this.#stderrTail)?.[1];
    return reason === undefined ? ` (${signal})` : ` (${signal}: ${reason})`;
  }
}

/** For what a child that has ended wrote before. */
const LAST_WORDS_MS = 500;

/** Enough for the head of the engine's crash report. */
const STDERR_CHARS_MAX = 8 * 1024;

async function readReply(child: ChildProcess): Promise<ChildReply> {
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS_MAX);
  const line = child.stdout === null ? undefined : await firstLine(child.stdout);
  clearTimeout(timer);
  child.stdout?.resume();
  // Its end says more than the missing line.
  if (line === undefined) return new Promise(() => undefined);
  try {
    return JSON.parse(line) as ChildReply;
  } catch {
    return { error: 'The embedded engine did not say where it listens.' };
  }
}

/** Only what the child needs: our environment may hold secrets of the operator's. */
function childEnvironment(options: ChildOptions): NodeJS.ProcessEnv {
  const keep = ['PATH', 'HOME', 'TMPDIR', 'LD_LIBRARY_PATH', 'CHDB_LIBCHDB_PATH'];
  const env: NodeJS.ProcessEnv = { TZ: 'UTC' };
  for (const name of keep) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  // Every query holds a thread of libuv's pool; files, zlib and kills need some as well.
  env['UV_THREADPOOL_SIZE'] = String(options.readSessions + options.writeSessions + 6);
  return env;
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}

function defaultMemory(): number {
  const quarter = Math.floor(totalmem() / 4);
  return Math.max(MEMORY_BYTES_MIN, Math.min(MEMORY_BYTES_DEFAULT_MAX, quarter));
}
