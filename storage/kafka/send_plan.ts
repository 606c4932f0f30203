// Which records go into the next send, and to which partitions: those with the fewest bytes so far.
// A trace need not stay together in the log, so nothing but evenness decides.

import type { LogRecord } from '../span_log.ts';
import type { Message } from './driver.ts';
import { encodeHeaders, RECORD_OVERHEAD_BYTES } from './record.ts';

/** kafkajs groups messages by partition in quadratic time: 1,000 cost nothing, 10,000 cost 0.2 s. */
const MESSAGES_PER_SEND_MAX = 1000;

/** Bytes that one send may carry; more would only wait in sockets while others could time out. */
const SEND_BYTES_MAX = 8 * 1024 * 1024;

export interface Planned<T> {
  readonly taken: readonly T[];
  readonly messages: readonly Message[];
}

/** What a record takes of a batch. */
export function recordSize(record: LogRecord): number {
  return record.bytes.byteLength + record.tenant.length + RECORD_OVERHEAD_BYTES;
}

export class SendPlan {
  readonly #batchBytesMax: number;
  /** By partition: bytes sent there, so that the next goes where there are fewest. */
  #sentBytes: number[] = [];

  /** The broker's limit holds for a batch: all records of one send to one partition. */
  constructor(batchBytesMax: number) {
    this.#batchBytesMax = batchBytesMax;
  }

  /** Partitions may be added to a topic; a new one starts level with the emptiest. */
  partitions(count: number): void {
    const least = this.#sentBytes.length === 0 ? 0 : Math.min(...this.#sentBytes);
    this.#sentBytes = Array.from({ length: count }, (_, i) => this.#sentBytes[i] ?? least);
  }

  /** Takes records off the front of `waiting`, at least one where there is one. */
  next<T extends { readonly record: LogRecord }>(waiting: T[]): Planned<T> {
    const used = new Set<number>();
    const messages: Message[] = [];
    let partition = -1;
    let batchBytes = 0;
    let sendBytes = 0;
    for (const { record } of waiting) {
      const size = recordSize(record);
      const full = messages.length >= MESSAGES_PER_SEND_MAX || sendBytes + size > SEND_BYTES_MAX;
      if (messages.length > 0 && full) break;
      if (partition === -1 || batchBytes + size > this.#batchBytesMax) {
        partition = this.#emptiest(used);
        if (partition === -1) break;
        used.add(partition);
        batchBytes = 0;
      }
      batchBytes += size;
      sendBytes += size;
      this.#sentBytes[partition] = (this.#sentBytes[partition] ?? 0) + size;
      messages.push(messageOf(record, partition));
    }
    return { taken: waiting.splice(0, messages.length), messages };
  }

  /** -1 when all are used. */
  #emptiest(used: ReadonlySet<number>): number {
    let found = -1;
    for (const [partition, bytes] of this.#sentBytes.entries()) {
      if (used.has(partition)) continue;
      if (found === -1 || bytes < (this.#sentBytes[found] ?? 0)) found = partition;
    }
    return found;
  }
}

const NANOS_PER_MS = 1_000_000n;

function messageOf(record: LogRecord, partition: number): Message {
  return {
    partition,
    value: record.bytes,
    headers: encodeHeaders({ tenant: record.tenant }),
    timestampMs: Number(record.recordUnixNanos / NANOS_PER_MS),
  };
}
