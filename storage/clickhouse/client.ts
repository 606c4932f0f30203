// The one place that makes clients of ClickHouse. Ingester and query see ClickHouseAccess only:
// whether an embedded engine or a server by address is behind it, no other code knows.

import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';

export interface ClickHouseAccess {
  /** May write and change the schema. Ask for it anew for each use: addresses may change. */
  ingest(): Promise<ClickHouseClient>;
  /** May only read; limits are forced by the server. */
  query(): Promise<ClickHouseClient>;
  /** Where our tables are; a plain identifier. Statements name it: `${database}.spans`. */
  readonly database: string;
  close(): Promise<void>;
}

export interface Address {
  /** http://host:8123 or https://… */
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

export interface ServerOptions {
  readonly ingest: Address;
  /** Often a user of its own with `readonly`; the same as ingest where there is none. */
  readonly query: Address;
  readonly database: string;
}

/** Long enough for a full block on a busy server; past it the same block is sent again. */
export const INSERT_TIMEOUT_MS = 60_000;

/** Above the server's own limit for a query, so that its error arrives and not ours. */
export const QUERY_TIMEOUT_MS = 40_000;

/** A ClickHouse server by address. */
export function serverAccess(options: ServerOptions): ClickHouseAccess {
  const database = checkDatabase(options.database);
  const ingest = makeClient(options.ingest, INSERT_TIMEOUT_MS);
  const query = makeClient(options.query, QUERY_TIMEOUT_MS);
  return {
    ingest: () => Promise.resolve(ingest),
    query: () => Promise.resolve(query),
    database,
    async close() {
      await Promise.all([ingest.close(), query.close()]);
    },
  };
}

/** The client's own default database stays `default`: ours may not exist yet, statements name it. */
export function makeClient(address: Address, requestTimeoutMs: number): ClickHouseClient {
  return createClient({
    url: address.url,
    username: address.user,
    password: address.password,
    application: 'spanhouse',
    request_timeout: requestTimeoutMs,
    // Our own bounds are lower; this only keeps the client from queueing without saying so.
    max_open_connections: 32,
    // Servers close idle sockets after 3 s (before 23.11) or 10 s: stay well below, else a request
    // now and then meets a socket that is being closed.
    keep_alive: { enabled: true, idle_socket_ttl: 1500, eagerly_destroy_stale_sockets: true },
    // Native blocks are dense already; both ends are usually close to each other.
    compression: { request: false, response: false },
    // Its warnings would bypass our log; errors reach the caller as exceptions.
    log: { level: ClickHouseLogLevel.OFF },
  });
}

/** The name goes into SQL text, so it is held to plain identifiers. Throws Error. */
export function checkDatabase(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(name)) return name;
  throw new Error(
    `Expected a database name of letters, digits and _, got ${JSON.stringify(name)}; ` +
      'choose another name.',
  );
}
