// The dead-letter topic: records as they came, with why and whence in headers.

import { type MessageToProduce, Producer } from '@platformatic/kafka';
import { type DeadLetter, type DeadLetters, deadLetterKey } from '../dead_letter.ts';
import type { LoggedRecord } from '../partition_log.ts';
import type { KafkaConnection } from './connection.ts';
import { platformaticOptions } from './platformatic_driver.ts';

export const REASON_HEADER = 'spanhouse.reason';
export const SOURCE_TOPIC_HEADER = 'spanhouse.source.topic';
export const SOURCE_PARTITION_HEADER = 'spanhouse.source.partition';
export const SOURCE_OFFSET_HEADER = 'spanhouse.source.offset';
/** Unix milliseconds of the record, as its producer set it. */
export const SOURCE_TIME_HEADER = 'spanhouse.source.time';
/** The record's own key, where it had one: Jaeger's is the trace id. */
export const SOURCE_KEY_HEADER = 'spanhouse.source.key';
/** What the topic was read as when the record could not be decoded. */
export const SOURCE_ENCODING_HEADER = 'spanhouse.source.encoding';

/** `replayed` or `dropped`: nothing more is to be done about the letter of this key. */
export const DONE_HEADER = 'spanhouse.done';

/** More own headers than this were not written by us; the rest is left out. */
const HEADERS_MAX = 64;

export interface DeadLetterTopic extends DeadLetters {
  /** Marks a letter as dealt with; it is no longer listed. */
  mark(key: string, how: 'replayed' | 'dropped'): Promise<void>;
  /** Writes a letter's record to where it came from, as it came, with the time that it had. */
  sendBack(record: LoggedRecord, topic: string, partition: number, atMs: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Connects with the first letter. `sendBytesMax` is what the topic takes at once; a single record that
 * is larger is refused by it.
 */
export function openDeadLetterTopic(
  connection: KafkaConnection,
  topic: string,
  sendBytesMax: number,
): DeadLetterTopic {
  let producer: Producer<Buffer, Buffer, Buffer, Buffer> | undefined;
  const close = async (): Promise<void> => {
    const old = producer;
    producer = undefined;
    await old?.close(true).catch(() => undefined);
  };
  const send = async (messages: Produced[]): Promise<void> => {
    producer ??= new Producer({
      ...platformaticOptions(connection),
      idempotent: true,
      acks: -1,
      autocreateTopics: false,
      retries: 3,
    });
    try {
      await producer.send({ messages });
    } catch (error) {
      // A producer that has failed may hold sequence numbers that the broker never saw.
      await close();
      throw error;
    }
  };
  return {
    publish: async (letters) => {
      for (const some of sendsOf(letters, sendBytesMax)) {
        await send(some.map((letter) => toMessage(topic, letter)));
      }
    },
    mark: (key, how) =>
      send([{ topic, key: Buffer.from(key), value: Buffer.alloc(0), headers: done(how) }]),
    sendBack: (record, to, partition, atMs) => send([sentBack(record, to, partition, atMs)]),
    close,
  };
}

/** Of a record in a batch: lengths, and what this file puts into headers. */
const LETTER_OVERHEAD_BYTES = 1024;

/**
 * In their order. The client makes one batch of all that it is given for a partition, and brokers
 * refuse one that is larger than max.message.bytes, however small its records are.
 */
export function sendsOf(letters: readonly DeadLetter[], bytesMax: number): DeadLetter[][] {
  const sends: DeadLetter[][] = [];
  let bytes = 0;
  for (const letter of letters) {
    const size = sizeOf(letter);
    const last = sends.at(-1);
    if (last === undefined || bytes + size > bytesMax) {
      sends.push([letter]);
      bytes = size;
    } else {
      last.push(letter);
      bytes += size;
    }
  }
  return sends;
}

function sizeOf({ record: { key, value, headers } }: DeadLetter): number {
  const own = headers.slice(0, HEADERS_MAX);
  const headerBytes = own.reduce((sum, one) => sum + one.key.length + one.value.byteLength, 0);
  const bytes = (key?.byteLength ?? 0) + (value?.byteLength ?? 0) + headerBytes;
  return LETTER_OVERHEAD_BYTES + bytes;
}

type Produced = MessageToProduce<Buffer, Buffer, Buffer, Buffer>;

function done(how: string): Map<Buffer, Buffer> {
  return new Map([[Buffer.from(DONE_HEADER), Buffer.from(how)]]);
}

function sentBack(record: LoggedRecord, topic: string, partition: number, atMs: number): Produced {
  const own = record.headers.filter(({ key }) => !ABOUT_HEADERS.has(key));
  const key = record.headers.find((header) => header.key === SOURCE_KEY_HEADER)?.value;
  return {
    topic,
    ...(key === undefined ? {} : { key: Buffer.from(key) }),
    partition,
    timestamp: BigInt(atMs),
    value: Buffer.from(record.value ?? new Uint8Array(0)),
    headers: new Map(own.map(({ key, value }) => [Buffer.from(key), Buffer.from(value)])),
  };
}

/** Also the mark: on a record of someone else it would hide the letter. */
const ABOUT_HEADERS: ReadonlySet<string> = new Set([
  DONE_HEADER,
  REASON_HEADER,
  SOURCE_TOPIC_HEADER,
  SOURCE_PARTITION_HEADER,
  SOURCE_OFFSET_HEADER,
  SOURCE_TIME_HEADER,
  SOURCE_KEY_HEADER,
  SOURCE_ENCODING_HEADER,
]);

function toMessage(topic: string, { source, record, reason, encoding }: DeadLetter): Produced {
  const about = {
    [REASON_HEADER]: reason,
    [SOURCE_TOPIC_HEADER]: source.topic,
    [SOURCE_PARTITION_HEADER]: String(source.partition),
    [SOURCE_OFFSET_HEADER]: String(record.offset),
    [SOURCE_TIME_HEADER]: String(record.timestampMs),
    [SOURCE_ENCODING_HEADER]: encoding ?? 'otlp_proto',
  };
  const headers = new Map<Buffer, Buffer>();
  for (const { key, value } of record.headers.slice(0, HEADERS_MAX)) {
    if (!ABOUT_HEADERS.has(key)) headers.set(Buffer.from(key), Buffer.from(value));
  }
  for (const [key, value] of Object.entries(about))
    headers.set(Buffer.from(key), Buffer.from(value));
  if (record.key !== undefined) {
    headers.set(Buffer.from(SOURCE_KEY_HEADER), Buffer.from(record.key));
  }
  return {
    topic,
    key: Buffer.from(deadLetterKey(source, record.offset)),
    value: Buffer.from(record.value ?? new Uint8Array(0)),
    headers,
  };
}
