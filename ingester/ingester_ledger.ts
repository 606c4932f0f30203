// The ingester's half of the span ledger (P4).

import type { TranscodeCounts } from '../model/codec/otlp/transcoder.ts';

export interface IngesterLedger {
  /** Spans whose block the store has acknowledged. */
  stored(spans: number): void;
  /** One block is in the store after `seconds`, retries included. */
  inserted(rows: number, bytes: number, seconds: number): void;
  /** The store failed once; the block will be tried again. */
  retried(): void;
  /** What the limits on a span took away. */
  lost(counts: TranscodeCounts): void;
}
