// ClickHouse's HTTP interface in front of chDB, as much of it as the stock @clickhouse/client uses.
// Runs in the child process (child.ts); loopback only, two users (request.ts).

import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Answer, send, sendError, sendPlain } from './answer.ts';
import { BodyReader, openBody } from './body.ts';
import type { Engine, EngineResult, EngineSession } from './engine.ts';
import { refuse, toEngineError } from './engine_error.ts';
import { insertRows, TableColumns } from './insert_rows.ts';
import * as limits from './limits.ts';
import { authenticate, type QueryRequest, readRequest, type Secrets } from './request.ts';
import { RunningQueries } from './running.ts';
import { SessionPool } from './session_pool.ts';
import { checkSettings, readSettings } from './settings.ts';
import { literal, placeholders, type Sql } from './sql.ts';
import { classify, outputFormat, type Role, type Statement, unquote } from './statement.ts';

export interface FrontOptions {
  readonly secrets: Secrets;
  readonly memoryBytes: number;
  readonly readSessions?: number;
  readonly writeSessions?: number;
}

export interface Front {
  readonly port: number;
  /** Takes no more requests, lets those under way end (STOP_MS_MAX), closes the engine. */
  stop(): Promise<void>;
}

/** Listens on 127.0.0.1, on a port that the system chooses. */
export async function startFront(engine: Engine, options: FrontOptions): Promise<Front> {
  const handler = new Handler(engine, options);
  const server = createServer(
    { maxHeaderSize: limits.HEAD_BYTES_MAX, keepAliveTimeout: limits.KEEP_ALIVE_MS },
    (request, response) => void handler.handle(request, response),
  );
  server.maxConnections = limits.CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      await closeServer(server);
      handler.close();
      engine.close();
    },
  };
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), limits.STOP_MS_MAX);
  await closed;
  clearTimeout(timer);
}

class Handler {
  readonly #engine: Engine;
  readonly #secrets: Secrets;
  readonly #reads: SessionPool;
  readonly #writes: SessionPool;
  readonly #forced: ReadonlyMap<string, string>;
  readonly #running: RunningQueries;
  readonly #tables = new TableColumns();
  #uploads = 0;

  constructor(engine: Engine, options: FrontOptions) {
    this.#engine = engine;
    this.#secrets = options.secrets;
    this.#forced = readSettings(options.memoryBytes);
    this.#running = new RunningQueries(engine);
    this.#reads = new SessionPool(engine, {
      name: 'read',
      size: options.readSessions ?? limits.READ_SESSIONS,
      forced: this.#forced,
      waitersMax: limits.READ_WAITERS_MAX,
      waitMsMax: limits.WAIT_MS_MAX,
    });
    this.#writes = new SessionPool(engine, {
      name: 'write',
      size: options.writeSessions ?? limits.WRITE_SESSIONS,
      forced: new Map(),
      waitersMax: limits.WRITE_WAITERS_MAX,
      waitMsMax: limits.WAIT_MS_MAX,
    });
  }

  close(): void {
    this.#reads.close();
    this.#writes.close();
    this.#running.close();
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A socket that breaks is seen by whoever reads or writes; nothing else to do about it.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    try {
      const url = new URL(request.url ?? '/', 'http://localhost');
      if (url.pathname === '/ping') return void response.end('Ok.\n');
      if (url.pathname !== '/') return sendPlain(response, 404, 'Expected the path / or /ping.\n');
      if (request.method !== 'POST' && request.method !== 'GET') {
        return sendPlain(response, 405, 'Expected the method GET or POST.\n');
      }
      const role = authenticate(request, this.#secrets);
      const query = readRequest(request, url);
      response.setHeader('X-ClickHouse-Query-Id', query.queryId);
      const answer = await this.#answer(request, response, role, query);
      send(response, answer);
    } catch (error) {
      sendError(request, response, toEngineError(error));
    }
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    role: Role,
    query: QueryRequest,
  ): Promise<Answer> {
    const body = new BodyReader(openBody(request));
    const [statement, dataStart] = await readStatementFrom(query.query, body, role);
    if (request.method === 'GET' && statement.kind !== 'read') {
      throw refuse(164, 'Expected POST for a statement that changes data, got GET.');
    }
    if (statement.kind === 'kill') return this.#kill(role, query, statement);
    const settings = checkSettings(role, query.settings, this.#forced);
    return this.#running.track(query.queryId, role, (tracked) => {
      if (statement.kind === 'insert_data') {
        return this.#insert(query, settings, statement, body, dataStart, tracked);
      }
      response.on('close', () => {
        // The client went away; nobody reads the answer, so let the engine stop.
        if (!response.writableFinished) this.#running.kill(query.queryId, role);
      });
      return this.#run(role, query, settings, statement, tracked);
    });
  }

  async #run(
    role: Role,
    query: QueryRequest,
    settings: ReadonlyMap<string, string>,
    statement: Statement & { kind: 'read' | 'write' },
    tracked: { on<T>(session: EngineSession, run: () => Promise<T>): Promise<T> },
  ): Promise<Answer> {
    const { sql } = statement;
    const text = bindParameters(query.parameters, sql) + sql.text;
    const pool = role === 'query' ? this.#reads : this.#writes;
    try {
      const result = await pool.use({ database: query.database, settings }, (session) =>
        tracked.on(session, () => session.run(text, query.format)),
      );
      const format = outputFormat(sql.tokens) ?? query.format;
      return { bytes: result.bytes, format, summary: summary(result, 0) };
    } finally {
      if (statement.kind === 'write') this.#tables.clear();
    }
  }

  async #insert(
    query: QueryRequest,
    settings: ReadonlyMap<string, string>,
    { insert }: Statement & { kind: 'insert_data' },
    body: BodyReader,
    dataStart: number,
    tracked: { on<T>(session: EngineSession, run: () => Promise<T>): Promise<T> },
  ): Promise<Answer> {
    if (this.#uploads >= limits.UPLOADS_MAX) {
      throw refuse(202, `${limits.UPLOADS_MAX} inserts are under way already: try again.`);
    }
    this.#uploads += 1;
    const path = join(this.#engine.incomingDir, randomUUID());
    try {
      const bytes = await body.toFile(path, dataStart, limits.INSERT_BYTES_MAX);
      const { database } = query;
      const result = await this.#writes.use({ database, settings: new Map() }, (session) =>
        tracked.on(session, () =>
          insertRows(session, this.#tables, { database, insert, settings, path }),
        ),
      );
      return { bytes: new Uint8Array(0), format: query.format, summary: summary(result, bytes) };
    } finally {
      this.#uploads -= 1;
      await rm(path, { force: true });
    }
  }

  #kill(role: Role, query: QueryRequest, statement: Statement & { kind: 'kill' }): Answer {
    const { id } = statement;
    const name = 'parameter' in id ? query.parameters.get(id.parameter) : unquote(id);
    const killed = name !== undefined && this.#running.kill(name, role);
    const row = killed ? `waiting\t${name}\t${role}\t\n` : '';
    return { bytes: Buffer.from(row), format: 'TabSeparated', summary: {} };
  }
}

/**
 * The statement, from the URL or from the head of the body, and where in the body an insert's rows
 * begin. As with a server, a body behind a query in the URL continues it.
 */
async function readStatementFrom(
  query: string,
  body: BodyReader,
  role: Role,
): Promise<[Statement, number]> {
  if (query.length > limits.QUERY_BYTES_MAX) {
    throw refuse(223, `Expected a query of at most ${limits.QUERY_BYTES_MAX} bytes.`);
  }
  if (/^\s*INSERT\b/i.test(query)) {
    const statement = classify(query, role);
    if (statement.kind !== 'insert_data') return [statement, 0];
    if (query.slice(statement.insert.dataStart).trim() !== '') {
      throw refuse(62, 'Expected the rows of an INSERT in the body, not in the URL.');
    }
    return [statement, 0];
  }
  if (query === '' && role === 'ingest') {
    const head = (await body.head(limits.INSERT_HEAD_BYTES_MAX)).toString('latin1');
    if (/^\s*INSERT\b/i.test(head)) {
      const statement = classify(head, role);
      if (statement.kind !== 'insert_data') {
        return [classify(await body.text(limits.QUERY_BYTES_MAX), role), 0];
      }
      // Latin-1 keeps byte positions; names are then read again as the UTF-8 they are.
      const { dataStart } = statement.insert;
      const utf8 = Buffer.from(head.slice(0, dataStart), 'latin1').toString('utf8');
      return [classify(utf8, role), dataStart];
    }
  }
  return [classify(query + (await body.text(limits.QUERY_BYTES_MAX)), role), 0];
}

/** Sets the parameters ahead of the statement; the engine puts them in, typed, where they belong. */
function bindParameters(parameters: ReadonlyMap<string, string>, sql: Sql): string {
  // A reused session may still hold another request's values: only what came now may be used.
  for (const name of placeholders(sql.tokens)) {
    if (!parameters.has(name)) {
      throw refuse(456, `Expected a value for the query parameter ${name} in param_${name}.`);
    }
  }
  if (parameters.size === 0) return '';
  const list = [...parameters].map(([name, value]) => `param_${name} = ${literal(value)}`);
  return `SET ${list.join(', ')}; `;
}

function summary(result: EngineResult, writtenBytes: number): Record<string, string> {
  return {
    read_rows: String(result.rowsRead),
    read_bytes: String(result.bytesRead),
    written_bytes: String(writtenBytes),
    result_bytes: String(result.bytes.byteLength),
    elapsed_ns: String(Math.round(result.elapsedSeconds * 1e9)),
  };
}
