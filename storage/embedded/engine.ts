// chDB, the ClickHouse engine as a library, as the child process uses it: one data directory, any
// number of sessions on it, each running one query at a time on a thread of libuv's pool.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toEngineError } from './engine_error.ts';

export interface EngineResult {
  readonly bytes: Uint8Array;
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly elapsedSeconds: number;
}

export interface EngineSession {
  /** Shows as log_comment of its queries: how one is found to be killed. */
  readonly tag: string;
  /** Throws EngineError. `format` holds where the SQL has no FORMAT clause. */
  run(sql: string, format: string): Promise<EngineResult>;
  close(): void;
}

export interface Engine {
  readonly dataDir: string;
  /** Bodies of inserts rest here until the engine has read them. */
  readonly incomingDir: string;
  open(tag: string): EngineSession;
  close(): void;
}

export interface EngineOptions {
  readonly dataDir: string;
  /** Cap on what the engine allocates; above it queries fail with MEMORY_LIMIT_EXCEEDED. */
  readonly memoryBytes: number;
}

/** Below this the engine cannot merge blocks of BLOCK_ROWS_MAX rows. */
export const MEMORY_BYTES_MIN = 512 * 1024 * 1024;

/** The engine cannot be opened; the message is one plain sentence for the operator. */
export class EngineOpenError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EngineOpenError';
  }
}

/** Opens the directory, creating it where it is missing. Throws EngineOpenError. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const chdb = await loadChdb();
  const incomingDir = join(options.dataDir, 'incoming');
  const config = join(options.dataDir, `engine-${process.pid}.xml`);
  const path = join(options.dataDir, 'engine');
  try {
    mkdirSync(incomingDir, { recursive: true, mode: 0o700 });
    writeFileSync(config, configXml(options.memoryBytes), { mode: 0o600 });
  } catch (error) {
    throw new EngineOpenError(
      `Expected a data directory that can be written at ${options.dataDir}, got ` +
        `${message(error)}; change its owner or choose another directory.`,
      error,
    );
  }
  const args = [`--config-file=${config}`];
  const open = () => new chdb.Session(path, { connectionArgs: args });
  let keeper: ChdbSession;
  try {
    // Held for the life of the process: the last session to close would close the engine.
    keeper = open();
  } catch (error) {
    // Why, the engine says on stderr only; the supervisor adds it.
    throw new EngineOpenError(
      `Cannot open the data directory ${options.dataDir}: ${message(error)}`,
      error,
    );
  } finally {
    rmSync(config, { force: true });
  }
  // Bodies of a process that was killed. Not before the lock is ours: they might be another's.
  rmSync(incomingDir, { recursive: true, force: true });
  mkdirSync(incomingDir, { mode: 0o700 });
  return {
    dataDir: options.dataDir,
    incomingDir,
    open: (tag) => openSession(open(), tag),
    close: () => keeper.close(),
  };
}

interface ChdbSession {
  queryAsync(
    sql: string,
    options: { format: string },
  ): Promise<{ bytes(): Uint8Array; rowsRead: number; bytesRead: number; elapsed: number }>;
  close(): void;
}

interface Chdb {
  readonly Session: new (path: string, options: { connectionArgs: string[] }) => ChdbSession;
}

async function loadChdb(): Promise<Chdb> {
  try {
    return await import('chdb');
  } catch (error) {
    throw new EngineOpenError(
      'The embedded ClickHouse engine is not installed for this platform ' +
        `(${process.platform} ${process.arch}): install the optional package chdb, or give the ` +
        'address of a ClickHouse server.',
      error,
    );
  }
}

function openSession(session: ChdbSession, tag: string): EngineSession {
  return {
    tag,
    close: () => session.close(),
    async run(sql, format) {
      try {
        const result = await session.queryAsync(sql, { format });
        return {
          bytes: result.bytes(),
          rowsRead: result.rowsRead,
          bytesRead: result.bytesRead,
          elapsedSeconds: result.elapsed,
        };
      } catch (error) {
        throw toEngineError(error);
      }
    },
  };
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const MIB = 1024 * 1024;

/**
 * The engine sizes its caches and pools for a server of its own (5 GB each, 0.9 of the memory,
 * dozens of threads). Shares of `memoryBytes` were chosen so that caches can take a third of it.
 */
function configXml(memoryBytes: number): string {
  const share = (part: number, minMib: number) =>
    Math.max(minMib * MIB, Math.floor(memoryBytes * part));
  const sizes: Record<string, number> = {
    max_server_memory_usage: memoryBytes,
    mark_cache_size: share(0.1, 32),
    primary_index_cache_size: share(0.1, 32),
    index_mark_cache_size: share(0.03, 16),
    index_uncompressed_cache_size: 0,
    uncompressed_cache_size: 0,
    vector_similarity_index_cache_size: 0,
    query_condition_cache_size: share(0.01, 8),
    compiled_expression_cache_size: 8 * MIB,
    // Two merges at a time keep up with one writer; each holds buffers for every column.
    background_pool_size: 2,
    background_schedule_pool_size: 4,
    background_common_pool_size: 2,
    background_move_pool_size: 1,
    background_fetches_pool_size: 1,
  };
  const lines = Object.entries(sizes).map(([name, value]) => `  <${name}>${value}</${name}>`);
  // The defaults of these three count on a pool of 16 and refuse tables on a smaller one.
  const mergeTree = [
    'number_of_free_entries_in_pool_to_execute_mutation',
    'number_of_free_entries_in_pool_to_lower_max_size_of_merge',
    'number_of_free_entries_in_pool_to_execute_optimize_entire_partition',
  ].map((name) => `    <${name}>1</${name}>`);
  return [
    '<clickhouse>',
    '  <timezone>UTC</timezone>',
    ...lines,
    '  <merge_tree>',
    ...mergeTree,
    '  </merge_tree>',
    '</clickhouse>',
    '',
  ].join('\n');
}
