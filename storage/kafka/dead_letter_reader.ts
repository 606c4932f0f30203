// What lies in the dead-letter topic. A letter that was replayed or dropped is followed by a mark
// with its key; one that was written twice, after a crash, counts once.

import type { LoggedRecord } from '../partition_log.ts';
import type { KafkaConnection } from './connection.ts';
import {
  DONE_HEADER,
  REASON_HEADER,
  SOURCE_ENCODING_HEADER,
  SOURCE_PARTITION_HEADER,
  SOURCE_TIME_HEADER,
  SOURCE_TOPIC_HEADER,
} from './dead_letter_topic.ts';
import { LogClient } from './log_client.ts';

/** A page of an operator's work; more than that is not looked at one by one. */
export const LETTERS_MAX = 100_000;

const FETCH_BYTES = 4 * 1024 * 1024;

export interface StoredLetter {
  /** topic:partition:offset of the record that is dead. */
  readonly key: string;
  readonly reason: string;
  readonly topic: string;
  readonly partition: number;
  /** Unix milliseconds of the record. */
  readonly timestampMs: number;
  readonly bytes: number;
  readonly encoding: string;
  /** Where it lies in the dead-letter topic. */
  readonly at: { readonly partition: number; readonly offset: number };
}

export class DeadLetterReader {
  readonly #client: LogClient;

  constructor(connection: KafkaConnection, topic: string) {
    this.#client = new LogClient(connection, topic);
  }

  /** Letters that nobody has dealt with, at most LETTERS_MAX, oldest first. */
  async list(): Promise<readonly StoredLetter[]> {
    const letters = new Map<string, StoredLetter>();
    const { topicId, partitions } = await this.#client.facts();
    for (let partition = 0; partition < partitions; partition++) {
      const { startOffset, endOffset } = await this.#client.bounds(partition);
      for (let offset = startOffset; offset < endOffset; ) {
        const fetched = await this.#client.fetch(topicId, partition, offset, FETCH_BYTES);
        for (const record of fetched.records) note(letters, record, partition);
        offset = fetched.nextOffset;
      }
    }
    return [...letters.values()];
  }

  /** The record of a letter as it lies there. Rejects where retention has taken it. */
  async read({ at }: StoredLetter): Promise<LoggedRecord> {
    const { topicId } = await this.#client.facts();
    const { records } = await this.#client.fetch(topicId, at.partition, at.offset, FETCH_BYTES);
    const record = records.find(({ offset }) => offset === at.offset);
    if (record === undefined) throw new Error('the letter is no longer in the topic');
    return record;
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

function note(letters: Map<string, StoredLetter>, record: LoggedRecord, partition: number): void {
  const key = Buffer.from(record.key ?? []).toString();
  const header = (name: string): string | undefined => {
    const value = record.headers.findLast((one) => one.key === name)?.value;
    return value === undefined ? undefined : Buffer.from(value).toString();
  };
  if (header(DONE_HEADER) !== undefined) {
    letters.delete(key);
    return;
  }
  if (letters.size >= LETTERS_MAX) return;
  letters.set(key, {
    key,
    reason: header(REASON_HEADER) ?? 'unknown',
    topic: header(SOURCE_TOPIC_HEADER) ?? '',
    partition: Number(header(SOURCE_PARTITION_HEADER) ?? -1),
    timestampMs: Number(header(SOURCE_TIME_HEADER) ?? record.timestampMs),
    bytes: record.value?.byteLength ?? 0,
    encoding: header(SOURCE_ENCODING_HEADER) ?? 'otlp_proto',
    at: { partition, offset: record.offset },
  });
}
