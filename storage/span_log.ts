// The contract between collector and ingester: what is written behind a reply and read before an
// insert. All-in-one: the ingester's own queue; in production a Kafka topic.

/** One checked request on its way to the store. */
export interface LogRecord {
  readonly tenant: string;
  /** ExportTraceServiceRequest, checked. Ownership passes on: nobody changes it any more. */
  readonly bytes: Uint8Array;
  /** When it was accepted: the only clock that rows depend on. */
  readonly recordUnixNanos: bigint;
  /** Spans in it that will become rows. */
  readonly spans: number;
}

/**
 * Resolves when the record is safe: it survives a kill -9 of any one process and will be queryable.
 * Throws RefusalError: `busy` or `unavailable` where sending again helps.
 */
export type Publish = (record: LogRecord) => Promise<void>;
