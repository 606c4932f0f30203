// The ledger of the log: one row for each range of offsets, written when all of it is safe.

import type { LogSource } from './partition_log.ts';

export interface RangeRow {
  readonly source: LogSource;
  readonly first: number;
  readonly last: number;
  /** Hex, of the records' bytes. */
  readonly hash: string;
  /** The version of the rules by which the rows were made. */
  readonly version: number;
  readonly records: number;
  readonly spans: number;
  /** Spans by reason, only those above 0. */
  readonly rejected: Readonly<Record<string, number>>;
  /** Records by reason, only those above 0. */
  readonly deadLettered: Readonly<Record<string, number>>;
  /** Offsets that retention took before they could be read. */
  readonly lost: number;
  /** Five-minute buckets with spans of this range, Unix seconds, ascending. */
  readonly buckets: readonly number[];
}

export interface RangeStore {
  /** Once however often it is repeated. Throws StoreError. */
  insert(row: RangeRow): Promise<void>;
}

/**
 * Names a range and its rows for good: another cluster, a topic created anew, or other bytes give
 * another name.
 */
export function rangeKey(row: RangeRow): string {
  const { clusterId, topicId, partition } = row.source;
  return `${clusterId}:${topicId}:${partition}:${row.first}-${row.last}:${row.hash}`;
}
