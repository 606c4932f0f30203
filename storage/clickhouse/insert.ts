// Blocks into ClickHouse: one insert, one token, every table.

import { Readable } from 'node:stream';
import { BLOCK_ROWS_MAX } from '../../model/limits.ts';
import { type Block, type SpanStore, StoreError } from '../span_store.ts';
import type { ClickHouseAccess } from './client.ts';
import { toStoreError } from './errors.ts';

/**
 * A block must reach the tables as the one block it is, or its token cannot be recognised (design
 * §4 rule 2; a replay that was cut into other blocks doubled rows). So both bounds on blocks lie
 * above any of ours and are sent with each insert, whatever the server's defaults.
 */
const BLOCK_ROWS_CEILING = '1048576';
const BLOCK_BYTES_CEILING = 256 * 1024 * 1024;

/** `spans_in` passes a block on to all tables, each of which drops what it has under the token. */
export class ClickHouseSpanStore implements SpanStore {
  readonly #access: ClickHouseAccess;

  constructor(access: ClickHouseAccess) {
    this.#access = access;
  }

  async insert(block: Block): Promise<void> {
    check(block);
    try {
      const client = await this.#access.ingest();
      const { stream } = await client.exec({
        query: `INSERT INTO ${this.#access.database}.spans_in FORMAT Native`,
        values: Readable.from([block.native]),
        clickhouse_settings: insertSettings(block.token),
      });
      // The answer is empty, but unread it would keep the socket from being used again.
      for await (const _ of stream);
    } catch (error) {
      throw toStoreError(error, `insert a block of ${block.rows} spans`);
    }
  }
}

function insertSettings(token: string) {
  return {
    insert_deduplication_token: token,
    insert_deduplicate: 1,
    deduplicate_blocks_in_dependent_materialized_views: 1,
    async_insert: 0,
    max_insert_block_size: BLOCK_ROWS_CEILING,
    min_insert_block_size_rows: BLOCK_ROWS_CEILING,
    min_insert_block_size_bytes: String(BLOCK_BYTES_CEILING),
    max_insert_threads: '1',
    // One view that fails fails the insert: it is repeated whole, under its token.
    materialized_views_ignore_errors: 0,
    // A column that the table lacks is a schema behind the code, not something to leave out.
    input_format_skip_unknown_fields: 0,
  } as const;
}

function check(block: Block): void {
  if (block.token === '' || block.rows < 1 || block.rows > BLOCK_ROWS_MAX) {
    throw new StoreError(
      `Expected a block with a token and 1 to ${BLOCK_ROWS_MAX} rows, got ${block.rows} rows.`,
      false,
    );
  }
  if (block.native.byteLength >= BLOCK_BYTES_CEILING) {
    throw new StoreError(
      `Expected a block below ${BLOCK_BYTES_CEILING} bytes, got ${block.native.byteLength}; ` +
        'cut it into smaller ones.',
      false,
    );
  }
}
