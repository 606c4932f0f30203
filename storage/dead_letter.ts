// What becomes of a record that cannot be stored: kept apart with its reason, so that its neighbours
// go on (P6).

import type { Encoding } from '../model/codec/encoding.ts';
import type { LoggedRecord, LogSource } from './partition_log.ts';

/** Closed set: a metric label and a header. */
export type DeadLetterReason = 'malformed' | 'empty' | 'too_large' | 'bad_headers' | 'bad_time';

export interface DeadLetter {
  readonly source: LogSource;
  readonly record: LoggedRecord;
  readonly reason: DeadLetterReason;
  /** What its topic was read as; otlp_proto unless told. */
  readonly encoding?: Encoding | undefined;
}

export interface DeadLetters {
  /**
   * Resolves when all are acknowledged. Each is keyed topic:partition:offset, so that one that is
   * written again after a crash is known. Throws any Error: nothing may be committed then.
   */
  publish(letters: readonly DeadLetter[]): Promise<void>;
}

/** `topic:partition:offset` */
export function deadLetterKey(source: LogSource, offset: number): string {
  return `${source.topic}:${source.partition}:${offset}`;
}
