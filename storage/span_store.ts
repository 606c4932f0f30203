// The contract of a place that spans rest in, as the ingester sees it. A store passes
// storage/span_store_contract.ts.

/** Rows in ClickHouse's Native format for `spans_in` (schema/), at most BLOCK_ROWS_MAX of them. */
export interface Block {
  /** Names exactly these rows: the store drops a second insert under the same token. */
  readonly token: string;
  readonly rows: number;
  readonly native: Uint8Array;
}

export interface SpanStore {
  /**
   * Inserts one block; when it resolves, the rows survive a kill -9 and are queryable.
   * Throws StoreError: retryable (try the same block again) or not.
   */
  insert(block: Block): Promise<void>;
}

export class StoreError extends Error {
  /** False where the same bytes can never be stored, e.g. the table is missing a column. */
  readonly retryable: boolean;
  constructor(message: string, retryable: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StoreError';
    this.retryable = retryable;
  }
}
