// The contract of one partition of the log as an ingester sees it, from the moment that it is
// assigned: whoever holds one may read, and may commit only while the assignment lasts.
// Offsets are numbers: 2^53 records of a partition outlive everyone.

/** Names a partition for good: a topic that was created anew has another id. */
export interface LogSource {
  readonly clusterId: string;
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
}

export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array;
}

export interface LoggedRecord {
  readonly offset: number;
  /** Unix milliseconds, as the producer set it: the only clock that rows depend on. */
  readonly timestampMs: number;
  readonly key: Uint8Array | undefined;
  readonly value: Uint8Array | undefined;
  readonly headers: readonly RecordHeader[];
}

export interface Fetched {
  /** In order, none below the offset asked for; empty when none came in time. */
  readonly records: readonly LoggedRecord[];
  /** Where to go on: offsets between two records may be empty for good. */
  readonly nextOffset: number;
  /** One past the last record that may be read. */
  readonly endOffset: number;
}

export interface Committed {
  /** The next record to handle; undefined before the first commit. */
  readonly offset: number | undefined;
  readonly metadata: string;
}

export interface LogBounds {
  /** The oldest record that retention has left. */
  readonly startOffset: number;
  readonly endOffset: number;
}

/** Every method may throw any Error: that is passing trouble, and the call may be repeated. */
export interface PartitionLog {
  readonly source: LogSource;
  /** To be read before the first fetch. */
  committed(): Promise<Committed>;
  bounds(): Promise<LogBounds>;
  /** Waits a moment for records. Throws OffsetGoneError where `offset` is out of bounds. */
  fetch(offset: number, bytesMax: number): Promise<Fetched>;
  /** Throws FencedError when the assignment is over; nothing was committed then. */
  commit(offset: number, metadata: string): Promise<void>;
}

/** Another ingester may own the partition by now: forget everything about it. */
export class FencedError extends Error {
  constructor(reason: string) {
    super(`The partition is no longer ours (${reason}): its owner goes on from the last commit.`);
    this.name = 'FencedError';
  }
}

/** Below what retention has left, or past the end. */
export class OffsetGoneError extends Error {
  constructor(offset: number) {
    super(`The log does not hold offset ${offset}; ask for its bounds.`);
    this.name = 'OffsetGoneError';
  }
}
