// What the settle job does to the store. Numbers are written under a version of their own and count
// only when the row in `settled` is there: broken off, repeated or done by two at once, each bucket
// shows one whole set of numbers.

import { randomInt } from 'node:crypto';
import type { ClickHouseSettings } from '@clickhouse/client';
import { type ClickHouseAccess, checkDatabase } from '../client.ts';
import { toStoreError } from '../errors.ts';
import { makeSelect, type Select } from '../select.ts';
import type { Statement } from '../statement.ts';
import { type Due, type DueBucket, dueStatement, readDue } from './buckets.ts';
import { bucketWindow, type EdgeSource, spanEdgesStatement } from './edge_statements.ts';
import { redRows } from './red_statements.ts';
import { slicesOf } from './slices.ts';
import { clientBucketsStatement, laterBucketsStatement } from './window.ts';
import { zipkinLinks } from './zipkin_links.ts';

export interface Settled {
  readonly spans: number;
}

export interface SettleOptions {
  /** The store's clock when the work began, in milliseconds since 1970. */
  readonly nowUnixMs: number;
  /** An insert that began longer ago has ended: what it brought has been seen. */
  readonly marginMs: number;
  readonly signal?: AbortSignal;
}

/** One statement of the job: in the background, so few threads and a bound on memory. */
const SETTINGS: ClickHouseSettings = {
  max_threads: 1,
  max_execution_time: 50,
  max_memory_usage: String(1024 * 1024 * 1024),
  // Two slices may give equal rows; versions tell repetitions apart.
  insert_deduplicate: 0,
  async_insert: 0,
};

/** Versions of two settlers in one millisecond differ. */
const VERSION_RANDOM_BITS = 20;

export class SettleStore {
  readonly #access: ClickHouseAccess;
  readonly #select: Select;

  constructor(access: ClickHouseAccess) {
    this.#access = access;
    this.#select = makeSelect(access);
    checkDatabase(access.database);
  }

  /** The store's clock, which `touched` is written by: milliseconds since 1970. */
  async nowUnixMs(): Promise<number> {
    const sql = 'SELECT toUnixTimestamp64Milli(now64(3)) AS now';
    for (const block of await this.#select({ sql, params: {} })) {
      if (block.rows > 0) return Number(block.bigs('now')[0]);
    }
    throw new Error('Expected the time from the store, got nothing.');
  }

  /**
   * Says that `owner` is there since `sinceUnixMs`; true if it is the one to settle: of those that
   * were there in the last `leaseMs` the first. Two that think so do the same work twice, no more.
   */
  async claim(owner: string, sinceUnixMs: number, leaseMs: number): Promise<boolean> {
    await this.#write(
      `INSERT INTO ${this.#access.database}.settlers (since, owner, seen_at)
SELECT fromUnixTimestamp64Milli({since:Int64}, 'UTC'), {owner:String}, now64(3, 'UTC')`,
      { since: BigInt(sinceUnixMs), owner },
    );
    const statement = {
      sql: `SELECT owner FROM {db:Identifier}.settlers
GROUP BY since, owner
HAVING max(seen_at) > addMilliseconds(now64(3, 'UTC'), -toInt64({lease:UInt32}))
ORDER BY since, owner LIMIT 1`,
      params: { lease: leaseMs },
    };
    for (const block of await this.#select(statement)) {
      if (block.rows > 0) return block.strings('owner').at(0) === owner;
    }
    return false;
  }

  async due(nowUnixMs: number, delayMs: number, limit: number): Promise<Due> {
    return readDue(await this.#select(dueStatement({ nowUnixMs, delayMs, limit })));
  }

  /** Computes and writes the numbers of one bucket. Throws StoreError. */
  async settle(due: DueBucket, options: SettleOptions): Promise<Settled> {
    const { nowUnixMs, marginMs, signal } = options;
    const version = versionOf(nowUnixMs);
    const window = bucketWindow(due.tenant, due.bucket);
    const { spans, lows } = await slicesOf(this.#select, window, signal);
    for (const slice of lows) {
      signal?.throwIfAborted();
      await this.#insertRed(due, version, redRows({ ...window, lows: slice }), signal);
      await this.#insertEdges(due, version, spanEdgesStatement({ ...window, lows: slice }), signal);
    }
    const links = await zipkinLinks(this.#select, window, signal);
    await this.#insertLinks(due, version, links, signal);
    // Before the row that ends it: else a crash in between would leave them as they are.
    await this.#ask(due, clientBucketsStatement(window, due.late), signal);
    if (due.late) await this.#ask(due, laterBucketsStatement(window), signal);
    signal?.throwIfAborted();
    await this.#write(
      `INSERT INTO ${this.#access.database}.settled
SELECT {tenant:String}, toDateTime({bucket:UInt32}, 'UTC'), {version:UInt64},
  fromUnixTimestamp64Milli({seen:Int64}, 'UTC'), fromUnixTimestamp64Milli({now:Int64}, 'UTC'), {spans:UInt64}`,
      {
        tenant: due.tenant,
        bucket: due.bucket,
        version,
        seen: BigInt(nowUnixMs - marginMs),
        now: BigInt(nowUnixMs),
        spans,
      },
    );
    return { spans };
  }

  #insertRed(
    due: DueBucket,
    version: bigint,
    rows: Statement,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    return this.#write(
      `INSERT INTO ${this.#access.database}.red
  (tenant, bucket, version, minute, service, name, kind, status, calls, slots)
SELECT {tenant:String}, toDateTime({bucket:UInt32}, 'UTC'), {version:UInt64}, *
FROM (
${rows.sql}
)`,
      { ...rows.params, bucket: due.bucket, version },
      signal,
    );
  }

  #insertEdges(
    due: DueBucket,
    version: bigint,
    rows: Statement,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    return this.#write(
      `INSERT INTO ${this.#access.database}.edges
  (tenant, source, bucket, version, parent, child, calls, errors)
SELECT {tenant:String}, {source:String}, toDateTime({bucket:UInt32}, 'UTC'), {version:UInt64}, *
FROM (
${rows.sql}
)`,
      { ...rows.params, source: 'jaeger' satisfies EdgeSource, bucket: due.bucket, version },
      signal,
    );
  }

  async #insertLinks(
    due: DueBucket,
    version: bigint,
    links: Awaited<ReturnType<typeof zipkinLinks>>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (links.length === 0) return;
    try {
      const client = await this.#access.ingest();
      await client.insert({
        table: `${this.#access.database}.edges`,
        values: links.map((link) => ({
          tenant: due.tenant,
          source: 'zipkin' satisfies EdgeSource,
          bucket: due.bucket,
          version: String(version),
          parent: link.parent,
          child: link.child,
          calls: link.callCount,
          errors: link.errorCount,
        })),
        format: 'JSONEachRow',
        clickhouse_settings: { insert_deduplicate: 0, async_insert: 0 },
        ...(signal === undefined ? {} : { abort_signal: signal }),
      });
    } catch (error) {
      throw toStoreError(error, 'insert settled links');
    }
  }

  /** Has other buckets settled again, unless they have seen what this one has. */
  #ask(due: DueBucket, buckets: Statement, signal: AbortSignal | undefined): Promise<void> {
    return this.#write(
      `INSERT INTO ${this.#access.database}.touched (tenant, bucket, spans_at, asked_at)
SELECT {tenant:String}, bucket, toDateTime64(0, 3, 'UTC'),
  fromUnixTimestamp64Milli({asked:Int64}, 'UTC')
FROM (
${buckets.sql}
)`,
      { ...buckets.params, asked: BigInt(due.spansAtUnixMs) },
      signal,
    );
  }

  /** What the store does on after `signal` is under a version that nobody will see. */
  async #write(query: string, params: Statement['params'], signal?: AbortSignal): Promise<void> {
    try {
      const client = await this.#access.ingest();
      await client.command({
        query,
        query_params: { ...params, db: this.#access.database },
        clickhouse_settings: SETTINGS,
        ...(signal === undefined ? {} : { abort_signal: signal }),
      });
    } catch (error) {
      throw toStoreError(error, 'write settled numbers');
    }
  }
}

function versionOf(nowUnixMs: number): bigint {
  const random = BigInt(randomInt(2 ** VERSION_RANDOM_BITS));
  return (BigInt(nowUnixMs) << BigInt(VERSION_RANDOM_BITS)) | random;
}
