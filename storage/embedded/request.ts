// One HTTP request of ClickHouse's interface, read from its URL and headers.

import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type EngineError, refuse } from './engine_error.ts';
import type { Role } from './statement.ts';

/** One user a role; the secrets are made anew for each start of the child. */
export interface Secrets {
  readonly ingest: string;
  readonly query: string;
}

export interface QueryRequest {
  /** `query` of the URL; the body follows it. */
  readonly query: string;
  readonly database: string;
  readonly queryId: string;
  /** As written by the client, in ClickHouse's escaped form; name without `param_`. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly settings: ReadonlyMap<string, string>;
  readonly format: string;
}

/** Throws EngineError 516 unless user and password are one of the two. */
export function authenticate(request: IncomingMessage, secrets: Secrets): Role {
  const [user, password] = credentials(request);
  const role = user === 'ingest' || user === 'query' ? user : undefined;
  // Compared in any case, so that time does not tell whether the user exists.
  const same = equal(password, secrets[role ?? 'query']);
  if (role !== undefined && same) return role;
  throw refuse(516, 'Authentication failed: expected user ingest or query with its password.');
}

function credentials(request: IncomingMessage): [string, string] {
  const header = request.headers.authorization ?? '';
  if (/^basic /i.test(header)) {
    const text = Buffer.from(header.slice(6), 'base64').toString('utf8');
    const colon = text.indexOf(':');
    return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  }
  const one = (name: string) => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : '';
  };
  return [one('x-clickhouse-user'), one('x-clickhouse-key')];
}

function equal(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

/** URL parameters that are neither settings nor parameters of the query. */
const KNOWN = new Set(['query', 'database', 'query_id', 'default_format']);

/** Not spoken here, and not to be taken for settings. */
const REFUSED = new Set(['user', 'password', 'session_id', 'session_timeout', 'quota_key', 'role']);

const QUERY_ID = /^[A-Za-z0-9_.:-]{1,128}$/;
const DATABASE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const PARAMETER = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const FORMAT = /^[A-Za-z0-9]{1,64}$/;

/** Throws EngineError for what is malformed. */
export function readRequest(request: IncomingMessage, url: URL): QueryRequest {
  const parameters = new Map<string, string>();
  const settings = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('param_')) {
      const bare = name.slice('param_'.length);
      if (!PARAMETER.test(bare)) throw expected('param_<name>', 'a letter, then letters or digits');
      parameters.set(bare, value);
    } else if (REFUSED.has(name)) {
      throw refuse(36, `The URL parameter ${name} is not supported by the embedded engine.`);
    } else if (!KNOWN.has(name)) settings.set(name, value);
  }
  const text = (name: string, header: string) => {
    const value = request.headers[header];
    return url.searchParams.get(name) ?? (typeof value === 'string' ? value : '');
  };
  const database = text('database', 'x-clickhouse-database') || 'default';
  const queryId = text('query_id', 'x-clickhouse-query-id') || randomUUID();
  const format = text('default_format', 'x-clickhouse-format') || 'TabSeparated';
  if (!DATABASE.test(database)) throw expected('database', 'letters, digits and _');
  if (!QUERY_ID.test(queryId)) throw expected('query_id', 'up to 128 of letters, digits and -_.:');
  if (!FORMAT.test(format)) throw expected('default_format', 'letters and digits');
  const query = url.searchParams.get('query') ?? '';
  return { query, database, queryId, parameters, settings, format };
}

function expected(name: string, what: string): EngineError {
  return refuse(36, `Expected ${what} in the URL parameter ${name}.`);
}
