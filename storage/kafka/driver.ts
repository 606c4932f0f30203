// The contract of a Kafka client as the publisher needs it. Both drivers pass driver_contract.ts.

export interface Message {
  readonly partition: number;
  readonly value: Uint8Array;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly timestampMs: number;
}

export interface Driver {
  /** Of the topic, when the driver was opened. */
  readonly partitions: number;
  /**
   * Resolves when every in-sync replica of every partition has all messages (acks=all). May try
   * again inside, under the same sequence numbers, so that the broker drops what it has already.
   *
   * One call at a time. After a rejection nobody knows what was written, and this driver must not
   * be used any more: a sequence number that is used again for other messages would make the broker
   * acknowledge them without writing them (kafkajs 2.2.4 counts its numbers back on failure).
   */
  send(messages: readonly Message[]): Promise<void>;
  /** Lets go at once of whatever runs. Never rejects. */
  close(): Promise<void>;
}

/** A driver with a producer id of its own. Rejects when no broker answers or the topic is missing. */
export type OpenDriver = () => Promise<Driver>;
