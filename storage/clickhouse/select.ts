// Runs one SELECT within limits and hands back its blocks. The only way by which the query side
// reads from ClickHouse.

import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';
import { ClickHouseError } from '@clickhouse/client';
import { StoreError } from '../span_store.ts';
import type { NativeBlock } from './native_column.ts';
import { NativeError, readNative } from './native_reader.ts';
import type { Statement } from './statement.ts';

/** What one statement may cost at most; the store forces limits of its own besides. */
export interface SelectLimits {
  /** Wall time in milliseconds. */
  readonly timeMsMax: number;
  readonly resultBytesMax: number;
  /** The embedded engine knows its own memory, and takes neither of these two: leave them out. */
  readonly memoryBytesMax?: number;
  readonly rowsToReadMax?: number;
}

/** For the embedded engine. A search that needs more is better asked with a narrower window. */
export const SELECT_LIMITS: SelectLimits = {
  timeMsMax: 20_000,
  resultBytesMax: 256 * 1024 * 1024,
};

/** For a server by address, whose users may have no limits at all. */
export const SERVER_SELECT_LIMITS: SelectLimits = {
  ...SELECT_LIMITS,
  memoryBytesMax: 4 * 1024 * 1024 * 1024,
  rowsToReadMax: 10_000_000_000,
};

/** The part of ClickHouseAccess (client.ts) that reading needs. */
export interface QueryAccess {
  query(): Promise<ClickHouseClient>;
  readonly database: string;
}

export type SelectFailure =
  | 'timeout' // over timeMsMax
  | 'too_much' // over rows, memory or result bytes
  | 'busy' // the store has no free session
  | 'unavailable' // the store cannot be reached
  | 'cancelled' // the caller's signal fired
  | 'broken'; // the store refuses our statement, or answers rubbish

const RETRYABLE: ReadonlySet<SelectFailure> = new Set(['busy', 'unavailable']);

/** Its message is for the caller of the API: never text of the store, which may quote data. */
export class SelectError extends StoreError {
  readonly failure: SelectFailure;
  constructor(failure: SelectFailure, message: string, cause?: unknown) {
    super(message, RETRYABLE.has(failure), cause);
    this.failure = failure;
  }
}

/**
 * Throws SelectError. Blocks are decoded when asked for; asking may throw SelectError too.
 * `onBytes` is told the bytes as they come in; what it throws ends the statement.
 */
export type Select = (
  statement: Statement,
  signal?: AbortSignal,
  onBytes?: (bytes: number) => void,
) => Promise<Generator<NativeBlock, void>>;

export function makeSelect(access: QueryAccess, limits: SelectLimits = SELECT_LIMITS): Select {
  return async (statement, signal, onBytes) => {
    try {
      const client = await access.query();
      const { stream } = await client.exec({
        query: `${statement.sql}\nFORMAT Native`,
        query_params: { ...statement.params, db: access.database },
        clickhouse_settings: { ...settingsOf(limits), ...statement.settings },
        ...(signal === undefined ? {} : { abort_signal: signal }),
      });
      return decode(await collect(stream, limits.resultBytesMax, signal, onBytes));
    } catch (error) {
      if (error instanceof Stopped) throw error.cause;
      throw selectError(error, limits, signal);
    }
  };
}

/** Carries what `onBytes` threw past the errors of the store. */
class Stopped extends Error {
  constructor(cause: unknown) {
    super('stopped', { cause });
  }
}

/** Blocks of this many rows are decoded in a few milliseconds, so others can run in between. */
const BLOCK_ROWS = 4096;

function settingsOf(limits: SelectLimits): ClickHouseSettings {
  return {
    max_execution_time: Math.ceil(limits.timeMsMax / 1000),
    ...(limits.rowsToReadMax === undefined
      ? {}
      : { max_rows_to_read: String(limits.rowsToReadMax) }),
    ...(limits.memoryBytesMax === undefined
      ? {}
      : { max_memory_usage: String(limits.memoryBytesMax) }),
    max_result_bytes: String(limits.resultBytesMax),
    result_overflow_mode: 'throw',
    max_block_size: String(BLOCK_ROWS),
    // An error after the first byte would otherwise stand in the middle of the answer.
    wait_end_of_query: 1,
    cancel_http_readonly_queries_on_client_close: 1,
  };
}

async function collect(
  stream: AsyncIterable<Uint8Array> & { destroy(): unknown },
  bytesMax: number,
  signal: AbortSignal | undefined,
  onBytes: ((bytes: number) => void) | undefined,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const stop = (): void => void stream.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > bytesMax) throw new SelectError('too_much', tooMuch());
      chunks.push(chunk);
      try {
        onBytes?.(chunk.length);
      } catch (error) {
        throw new Stopped(error);
      }
    }
    signal?.throwIfAborted();
  } finally {
    signal?.removeEventListener('abort', stop);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
}

function* decode(bytes: Uint8Array): Generator<NativeBlock, void> {
  try {
    yield* readNative(bytes);
  } catch (error) {
    if (!(error instanceof NativeError)) throw error;
    throw new SelectError('broken', 'The store sent an answer that cannot be read.', error);
  }
}

/** ClickHouse's numbers: src/Common/ErrorCodes.cpp. */
const FAILURE_OF_CODE: ReadonlyMap<string, SelectFailure> = new Map([
  ['158', 'too_much'], // TOO_MANY_ROWS
  ['159', 'timeout'], // TIMEOUT_EXCEEDED
  ['160', 'timeout'], // TOO_SLOW
  ['202', 'busy'], // TOO_MANY_SIMULTANEOUS_QUERIES
  ['241', 'too_much'], // MEMORY_LIMIT_EXCEEDED
  ['307', 'too_much'], // TOO_MANY_BYTES
  ['394', 'timeout'], // QUERY_WAS_CANCELLED
  ['396', 'too_much'], // TOO_MANY_ROWS_OR_BYTES
]);

function selectError(
  error: unknown,
  limits: SelectLimits,
  signal: AbortSignal | undefined,
): SelectError {
  if (error instanceof SelectError) return error;
  if (signal?.aborted) {
    return new SelectError('cancelled', 'The request was given up before its answer was ready.');
  }
  if (error instanceof ClickHouseError) {
    const failure = FAILURE_OF_CODE.get(error.code) ?? 'broken';
    return new SelectError(failure, messageOf(failure, limits), error);
  }
  if (error instanceof StoreError && !error.retryable) {
    return new SelectError('broken', error.message, error);
  }
  return new SelectError('unavailable', messageOf('unavailable', limits), error);
}

function messageOf(failure: SelectFailure, limits: SelectLimits): string {
  switch (failure) {
    case 'timeout':
      return (
        `The search took longer than ${limits.timeMsMax / 1000} s: ` +
        'narrow the time window, or name a service and an operation.'
      );
    case 'too_much':
      return tooMuch();
    case 'busy':
      return 'The store is busy with other searches: try again in a moment.';
    case 'unavailable':
      return 'The store cannot be reached: try again in a moment.';
    default:
      return 'The store refused the search; the reason is in the log of the query service.';
  }
}

function tooMuch(): string {
  return (
    'The search needs more rows or memory than one search may take: ' +
    'narrow the time window, name a service and an operation, or ask for fewer traces.'
  );
}
