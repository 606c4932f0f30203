// ClickHouseAccess to an engine that may come back at another port.

import type { ClickHouseClient } from '@clickhouse/client';
import {
  type ClickHouseAccess,
  INSERT_TIMEOUT_MS,
  makeClient,
  QUERY_TIMEOUT_MS,
} from '../clickhouse/client.ts';
import type { Role } from './statement.ts';

/** The part of Embedded that clients are made from. */
interface Reachable {
  url(): Promise<string>;
  credentials(role: Role): { readonly user: Role; readonly password: string };
}

/** A client of a former port: what it still carries is failing by then. */
const OLD_CLIENT_MS = 1_000;

/** Clients that follow the engine to its new port after a restart. */
export function embeddedAccess(engine: Reachable, database: string): ClickHouseAccess {
  const current = new Map<Role, { readonly url: string; readonly client: ClickHouseClient }>();
  const get = async (role: Role): Promise<ClickHouseClient> => {
    const url = await engine.url();
    const known = current.get(role);
    if (known?.url === url) return known.client;
    if (known !== undefined) setTimeout(() => void known.client.close(), OLD_CLIENT_MS).unref();
    const address = { url, ...engine.credentials(role) };
    const client = makeClient(address, role === 'ingest' ? INSERT_TIMEOUT_MS : QUERY_TIMEOUT_MS);
    current.set(role, { url, client });
    return client;
  };
  return {
    ingest: () => get('ingest'),
    query: () => get('query'),
    database,
    async close() {
      const clients = [...current.values()];
      current.clear();
      await Promise.all(clients.map(({ client }) => client.close()));
    },
  };
}
