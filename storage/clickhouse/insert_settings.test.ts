// Rules 2 and 7 of design §4 against a real engine: what a replay relies on is said with each
// insert and each table, so that no default of a server can take it away. Each check is made once
// more without its guard, where it must fail.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ClickHouseClient } from '@clickhouse/client';
import { send, spansQuery, startTestEngine, type TestEngine } from '../embedded/testing.ts';
import type { ClickHouseAccess } from './client.ts';
import { ClickHouseSpanStore } from './insert.ts';

const ROWS = 5_000;

/** Defaults that an operator may have set for good reasons of their own; each would hurt us. */
const SERVER_DEFAULTS = {
  max_insert_block_size: '1000',
  min_insert_block_size_rows: '1000',
  min_insert_block_size_bytes: '1000',
  insert_deduplicate: 0,
  deduplicate_blocks_in_dependent_materialized_views: 0,
} as const;

type Exec = Parameters<ClickHouseClient['exec']>[0];

describe('an insert that is repeated', () => {
  let engine: TestEngine;
  let seed = 1;
  before(async () => {
    engine = await startTestEngine();
    await send(engine.embedded, 'ingest', 'SYSTEM STOP MERGES');
  });
  after(() => engine?.[Symbol.asyncDispose]());

  async function rows(): Promise<number> {
    const [row] = await engine.rows('SELECT count() AS n FROM spanhouse.spans');
    return Number(row?.['n']);
  }

  /** Inserts one block twice under one token, through a client whose calls `change` has changed. */
  async function storedByTwo(change: (call: Exec) => Exec): Promise<number> {
    const { access } = engine.embedded;
    const changed: ClickHouseAccess = {
      ...access,
      database: access.database,
      query: () => access.query(),
      ingest: async () => {
        const client = await access.ingest();
        const exec = (call: Exec) => client.exec(change(call));
        return { exec } as unknown as ClickHouseClient;
      },
    };
    const store = new ClickHouseSpanStore(changed);
    const native = await engine.native(spansQuery(ROWS, seed++));
    const before = await rows();
    const block = { token: `twice ${seed}`, rows: ROWS, native };
    await store.insert(block);
    await store.insert(block);
    return (await rows()) - before;
  }

  it('is stored once, whatever the defaults of the server', async () => {
    const stored = await storedByTwo((call) => ({
      ...call,
      clickhouse_settings: { ...SERVER_DEFAULTS, ...call.clickhouse_settings },
    }));
    assert.equal(stored, ROWS);
  });

  it('is stored twice where those defaults hold: noticed without its guard', async () => {
    const stored = await storedByTwo((call) => ({
      ...call,
      clickhouse_settings: { ...call.clickhouse_settings, ...SERVER_DEFAULTS },
    }));
    assert.equal(stored, 2 * ROWS);
  });

  it('is stored twice where tables remember no tokens: noticed without its guard', async () => {
    const set = 'ALTER TABLE spanhouse.spans MODIFY SETTING non_replicated_deduplication_window';
    await send(engine.embedded, 'ingest', `${set} = 0`);
    assert.equal(await storedByTwo((call) => call), 2 * ROWS);
    await send(engine.embedded, 'ingest', `${set} = 120000`);
    assert.equal(await storedByTwo((call) => call), ROWS);
  });

  it('is remembered by every table behind the door for an hour of other inserts', async () => {
    // A margin of four, four inserts a second, two days that one touches, 3,600 s.
    const parts = 4 * 4 * 2 * 3600;
    const tables = await engine.rows(
      "SELECT name, toUInt64OrZero(extract(engine_full, 'deduplication_window = (\\\\d+)')) AS parts " +
        "FROM system.tables WHERE database = 'spanhouse' AND engine LIKE '%MergeTree' " +
        "AND (name = 'ranges' OR name IN (SELECT extract(create_table_query, ' TO spanhouse\\\\.(\\\\w+)') " +
        "FROM system.tables WHERE database = 'spanhouse' AND engine = 'MaterializedView'))",
    );
    assert.ok(tables.length >= 7, JSON.stringify(tables));
    for (const table of tables) assert.ok(Number(table['parts']) >= parts, JSON.stringify(table));
  });
});
