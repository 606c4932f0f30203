// Which requests go into the next send, in which records, and to which partitions: those with the
// fewest bytes so far. A trace need not stay together in the log, so nothing but evenness decides.

import type { LogRecord } from '../span_log.ts';
import type { Message } from './driver.ts';
import { encodeHeaders, RECORD_OVERHEAD_BYTES } from './record.ts';

/** kafkajs groups messages by partition in quadratic time: 1,000 cost nothing, 10,000 cost 0.2 s. */
const MESSAGES_PER_SEND_MAX = 1000;

/** Bytes that one send may carry; more would only wait in sockets while others could time out. */
const SEND_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Small requests that follow each other become one record up to this: an ExportTraceServiceRequest
 * after another is an ExportTraceServiceRequest, with the resources of both (protobuf merges repeated
 * fields), so joining costs a copy. A record of its own costs us, the broker and the ingester what
 * fifty spans do. Larger ones gain nothing.
 */
const JOINED_BYTES_MAX = 100 * 1024;

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

  /** Takes requests off the front of `waiting`, at least one where there is one. */
  next<T extends { readonly record: LogRecord }>(waiting: T[]): Planned<T> {
    const used = new Set<number>();
    const messages: Message[] = [];
    let joining: LogRecord[] = [];
    let joinedBytes = 0;
    let partition = -1;
    let batchBytes = 0;
    let sendBytes = 0;
    let count = 0;
    const close = (): void => {
      if (joining.length > 0) messages.push(messageOf(joining, partition));
      joining = [];
      joinedBytes = 0;
    };
    for (const { record } of waiting) {
      const size = recordSize(record);
      const begun = messages.length + (joining.length > 0 ? 1 : 0);
      const full = begun >= MESSAGES_PER_SEND_MAX || sendBytes + size > SEND_BYTES_MAX;
      if (count > 0 && full) break;
      if (partition === -1 || batchBytes + size > this.#batchBytesMax) {
        close();
        partition = this.#emptiest(used);
        if (partition === -1) break;
        used.add(partition);
        batchBytes = 0;
      }
      const fits = joinedBytes + record.bytes.byteLength <= JOINED_BYTES_MAX;
      if (!fits || joining[0]?.tenant !== record.tenant) close();
      joining.push(record);
      joinedBytes += record.bytes.byteLength;
      count++;
      batchBytes += size;
      sendBytes += size;
      this.#sentBytes[partition] = (this.#sentBytes[partition] ?? 0) + size;
    }
    close();
    return { taken: waiting.splice(0, count), messages };
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

/** Of the newest: a span may be ahead of it by a bounded time, and none is nearer to that bound. */
function messageOf(records: readonly LogRecord[], partition: number): Message {
  const last = records.at(-1) as LogRecord;
  return {
    partition,
    value: records.length === 1 ? last.bytes : Buffer.concat(records.map(({ bytes }) => bytes)),
    headers: encodeHeaders({ tenant: last.tenant }),
    timestampMs: Number(last.recordUnixNanos / NANOS_PER_MS),
  };
}
