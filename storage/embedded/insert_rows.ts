// INSERT … FORMAT x with the rows as bytes. chDB takes binary rows from a file only (its raw insert
// cuts them at a blank line and runs the rest as SQL), so they become INSERT … SELECT FROM file().

import type { EngineResult, EngineSession } from './engine.ts';
import { literal } from './sql.ts';
import type { InsertHead } from './statement.ts';

interface Column {
  readonly name: string;
  readonly type: string;
  readonly default_type: string;
  readonly default_expression: string;
}

/** Columns of tables, as DESCRIBE gave them; forgotten whenever DDL passed the front. */
export class TableColumns {
  readonly #known = new Map<string, Promise<readonly Column[]>>();

  clear(): void {
    this.#known.clear();
  }

  get(session: EngineSession, database: string, table: string): Promise<readonly Column[]> {
    const key = `${database}\0${table}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const columns = describe(session, table);
    if (this.#known.size >= TABLES_MAX) this.#known.clear();
    this.#known.set(key, columns);
    // A table that is not there yet may come.
    columns.catch(() => this.#known.delete(key));
    return columns;
  }
}

/** More tables than any schema of ours has. */
const TABLES_MAX = 200;

export interface InsertRequest {
  readonly database: string;
  readonly insert: InsertHead;
  readonly settings: ReadonlyMap<string, string>;
  /** File that holds the rows. */
  readonly path: string;
}

/**
 * Inserts the file's rows. Columns are matched by name where the format names them, as by a server:
 * the file is read as having the table's columns. Throws EngineError.
 */
export async function insertRows(
  session: EngineSession,
  tables: TableColumns,
  request: InsertRequest,
): Promise<EngineResult> {
  const { database, insert, settings } = request;
  const all = await tables.get(session, database, insert.table);
  const insertable = all.filter((column) => !COMPUTED.has(column.default_type));
  const columns =
    insert.columns?.map((name) => all.find((column) => column.name === name) ?? named(name)) ??
    insertable;
  const names = columns.map((column) => quote(column.name)).join(', ');
  const structure = columns.map(declaration).join(', ');
  const clause = [
    // Unless the request says so, a column that the table lacks is an error, not lost data.
    ...new Map([['input_format_skip_unknown_fields', '0'], ...settings]),
  ].map(([name, value]) => `${name} = ${literal(value)}`);
  if (insert.settings.trim() !== '') clause.push(insert.settings);
  const source = [literal(request.path), literal(insert.format), literal(structure)].join(', ');
  return session.run(
    `INSERT INTO ${insert.table} (${names}) SETTINGS ${clause.join(', ')} ` +
      `SELECT ${names} FROM file(${source})`,
    'Null',
  );
}

/** Not settable by an insert. */
const COMPUTED = new Set(['ALIAS', 'MATERIALIZED']);

async function describe(session: EngineSession, table: string): Promise<readonly Column[]> {
  const result = await session.run(`DESCRIBE TABLE ${table}`, 'JSON');
  return (JSON.parse(Buffer.from(result.bytes).toString('utf8')) as { data: Column[] }).data;
}

/** Lets the engine say what is wrong with a column that the table does not have. */
function named(name: string): Column {
  return { name, type: 'String', default_type: '', default_expression: '' };
}

function declaration(column: Column): string {
  const type = `${quote(column.name)} ${column.type}`;
  return column.default_type === 'DEFAULT' ? `${type} DEFAULT ${column.default_expression}` : type;
}

function quote(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}
