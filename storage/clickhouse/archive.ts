// Traces that are kept past the retention: each a list of OTLP messages under its id.

import { Readable } from 'node:stream';
import { type ClickHouseAccess, INSERT_TIMEOUT_MS } from './client.ts';
import { toStoreError } from './errors.ts';
import type { Statement, TraceKey } from './statement.ts';
import { keysParams } from './trace_statements.ts';

/** A part of an archived trace: an ExportTraceServiceRequest, and how many spans are in it. */
export interface ArchivePart {
  readonly bytes: Uint8Array;
  readonly spans: number;
}

export interface ArchiveWriter {
  /**
   * Puts a trace into the archive, all its parts at once. Each takes the place of the one with its
   * number, so there must be as many as before, or more. Throws StoreError.
   */
  put(tenant: string, key: TraceKey, parts: readonly ArchivePart[], nowMs: number): Promise<void>;
}

/** Writes as the user that may. */
export class ClickHouseArchive implements ArchiveWriter {
  readonly #access: Pick<ClickHouseAccess, 'ingest' | 'database'>;

  constructor(access: Pick<ClickHouseAccess, 'ingest' | 'database'>) {
    this.#access = access;
  }

  async put(
    tenant: string,
    key: TraceKey,
    parts: readonly ArchivePart[],
    nowMs: number,
  ): Promise<void> {
    try {
      const client = await this.#access.ingest();
      const { stream } = await client.exec({
        query: `INSERT INTO ${this.#access.database}.archive FORMAT RowBinary`,
        values: Readable.from(rows(tenant, key, parts, nowMs)),
        clickhouse_settings: SETTINGS,
        abort_signal: AbortSignal.timeout(INSERT_TIMEOUT_MS),
      });
      // The answer is empty, but unread it would keep the socket from being used again.
      for await (const _ of stream);
    } catch (error) {
      throw toStoreError(error, 'archive a trace');
    }
  }
}

/** So that the parts of a trace are one block, which is there as a whole or not at all. */
const SETTINGS = {
  async_insert: 0,
  max_insert_block_size: '1048576',
  min_insert_block_size_rows: '1048576',
  min_insert_block_size_bytes: String(256 * 1024 * 1024),
  max_insert_threads: '1',
} as const;

/** RowBinary: numbers little endian, strings behind their length as a varint. */
function* rows(
  tenant: string,
  key: TraceKey,
  parts: readonly ArchivePart[],
  nowMs: number,
): Generator<Uint8Array, void> {
  const name = Buffer.from(tenant);
  for (const [part, { bytes, spans }] of parts.entries()) {
    const fixed = Buffer.alloc(8 + 8 + 2 + 8 + 4 + 4);
    fixed.writeBigUInt64LE(key.low, 0);
    fixed.writeBigUInt64LE(key.high, 8);
    fixed.writeUInt16LE(part, 16);
    fixed.writeBigInt64LE(BigInt(Math.floor(nowMs)), 18);
    fixed.writeUInt32LE(spans, 26);
    fixed.writeUInt32LE(bytes.length, 30);
    yield Buffer.concat([varint(name.length), name, fixed, varint(bytes.length), bytes]);
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** Column bytes: the parts of one trace, in order. */
export function archivedStatement(tenant: string, key: TraceKey): Statement {
  return {
    sql: `SELECT bytes
FROM {db:Identifier}.archive FINAL
WHERE tenant = {tenant:String} AND trace_lo = {low:UInt64} AND trace_hi = {high:UInt64}
ORDER BY part`,
    params: { tenant, low: key.low, high: key.high },
  };
}

/** Columns trace_lo, trace_hi: those of the traces that are archived. */
export function archivedKeysStatement(tenant: string, keys: readonly TraceKey[]): Statement {
  return {
    sql: `SELECT DISTINCT trace_lo, trace_hi
FROM {db:Identifier}.archive
WHERE tenant = {tenant:String}
  AND (trace_lo, trace_hi) IN arrayZip({lows:Array(UInt64)}, {highs:Array(UInt64)})`,
    params: { tenant, ...keysParams(keys) },
  };
}

/** Columns traces and bytes (UInt64): all of a tenant; spans (UInt64): of the one trace. */
export function archiveSizeStatement(tenant: string, key: TraceKey): Statement {
  return {
    sql: `SELECT
  uniqExact(trace_lo, trace_hi) AS traces,
  sum(toUInt64(size)) AS bytes,
  sumIf(toUInt64(spans), trace_lo = {low:UInt64} AND trace_hi = {high:UInt64}) AS spans
FROM {db:Identifier}.archive FINAL
WHERE tenant = {tenant:String}`,
    params: { tenant, low: key.low, high: key.high },
  };
}
