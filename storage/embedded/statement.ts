// What kind of statement a query is, and whether its sender may run it.

import { Lexer, readStatement, type Sql, SqlRefusal, type Token, withoutComments } from './sql.ts';

export type Role = 'ingest' | 'query';

export type Statement =
  /** Rows come as bytes behind the statement. */
  | { readonly kind: 'insert_data'; readonly insert: InsertHead }
  /** KILL QUERY WHERE query_id = …; answered by the front, which knows whose query it is. */
  | { readonly kind: 'kill'; readonly id: Token | { readonly parameter: string } }
  | { readonly kind: 'read' | 'write'; readonly sql: Sql };

export interface InsertHead {
  /** As written, quotes included: `db.table`. */
  readonly table: string;
  /** As written; undefined = all insertable columns of the table. */
  readonly columns: readonly string[] | undefined;
  /** Text of a SETTINGS clause, or ''. */
  readonly settings: string;
  readonly format: string;
  /** Where the data begins in the text that was read. */
  readonly dataStart: number;
}

const READ_WORDS = new Set(['SELECT', 'WITH', 'SHOW', 'DESCRIBE', 'DESC', 'EXPLAIN', 'EXISTS']);

/** Functions that only compute; all other table functions reach for files, networks or other
 * tables. The engine's readonly mode refuses most of them as well: this is the second wall. */
const DENIED_FUNCTIONS = new Set(
  `arrowstream azureblobstorage azureblobstoragecluster catboostevaluate cluster clusterallreplicas
  cosn deltalake deltalakeazure deltalakeazurecluster deltalakecluster deltalakelocal deltalakes3
  deltalakes3cluster dictionary eval executable file filecluster filesystem fuzzjson fuzzquery gcs
  generaterandom hdfs hdfscluster hive hudi hudicluster iceberg icebergazure icebergazurecluster
  icebergcluster iceberghdfs iceberghdfscluster iceberglocal iceberglocalcluster icebergs3
  icebergs3cluster input jdbc loop meilisearch merge mergetreeanalyzeindexes
  mergetreeanalyzeindexesuuid mergetreeindex mergetreeprojection mergetreetextindex mongodb mysql
  nats odbc oss paimon paimonazure paimonazurecluster paimoncluster paimonhdfs paimonhdfscluster
  paimonlocal paimons3 paimons3cluster postgresql prometheusquery prometheusqueryrange python redis
  remote remotesecure s3 s3cluster sleep sleepeachrow sqlite timeseriesdata timeseriesmetrics
  timeseriessamples timeseriesselector timeseriestags url urlcluster viewexplain viewifpermitted
  ytsaurus`.split(/\s+/),
);

/** Formats that an insert may carry; each names its columns or is told them. */
const INSERT_FORMATS = new Map(
  ['Native', 'RowBinary', 'RowBinaryWithNamesAndTypes', 'JSONEachRow', 'JSONCompactEachRow'].map(
    (name) => [name.toUpperCase(), name],
  ),
);

/** Throws SqlRefusal for what is malformed or not this role's to run. */
export function classify(text: string, role: Role): Statement {
  const first = new Lexer(text).next();
  if (first?.upper === 'INSERT' && role === 'ingest') {
    const insert = readInsertHead(text);
    if (insert !== undefined) return { kind: 'insert_data', insert };
  }
  const sql = readStatement(text);
  if (first?.upper === 'KILL') return readKill(sql);
  const reads = READ_WORDS.has(first?.upper ?? '') || first?.text === '(';
  if (role === 'query') {
    if (!reads) {
      throw new SqlRefusal(
        'The query user may run SELECT, WITH, SHOW, DESCRIBE, EXISTS, EXPLAIN and KILL QUERY ' +
          `only, not ${first?.upper ?? 'this'}.`,
        READONLY,
      );
    }
    refuseReach(sql.tokens);
  }
  return { kind: reads && !isCte(sql) ? 'read' : 'write', sql };
}

/** The format that a trailing FORMAT clause names; undefined if there is none. */
export function outputFormat(tokens: readonly Token[]): string | undefined {
  const index = tokens.findLastIndex((token) => token.kind === 'word' && token.upper === 'FORMAT');
  const name = tokens[index + 1];
  if (index < 0 || name?.kind !== 'word') return undefined;
  const after = tokens[index + 2];
  return after === undefined || after.upper === 'SETTINGS' ? name.text : undefined;
}

const READONLY = 164;
const ACCESS_DENIED = 497;

/** WITH … INSERT is a write; a plain WITH … SELECT is not. */
function isCte(sql: Sql): boolean {
  return sql.tokens[0]?.upper === 'WITH' && sql.tokens.some((token) => token.upper === 'INSERT');
}

/** Refuses what readonly mode lets through: reading files by a scalar function, writing a file. */
function refuseReach(tokens: readonly Token[]): void {
  for (const [index, token] of tokens.entries()) {
    if (token.kind === 'word' && token.upper === 'OUTFILE') {
      throw new SqlRefusal('The query user may not write files: take INTO OUTFILE out.', READONLY);
    }
    if (token.kind !== 'word' && token.kind !== 'quoted') continue;
    if (tokens[index + 1]?.text !== '(') continue;
    const name = unquote(token).toLowerCase();
    if (DENIED_FUNCTIONS.has(name)) {
      throw new SqlRefusal(`The query user may not call the function ${name}().`, ACCESS_DENIED);
    }
  }
}

/** `INSERT INTO [TABLE] name [(columns)] [SETTINGS …] FORMAT x`; undefined for other inserts. */
function readInsertHead(text: string): InsertHead | undefined {
  const lexer = new Lexer(text);
  lexer.next();
  let token = lexer.next();
  if (token?.upper === 'INTO') token = lexer.next();
  if (token?.upper === 'TABLE') token = lexer.next();
  if (token === undefined || token.upper === 'FUNCTION') return undefined;
  let table = nameOf(token);
  token = lexer.next();
  if (token?.text === '.') {
    table += `.${nameOf(lexer.next())}`;
    token = lexer.next();
  }
  let columns: string[] | undefined;
  if (token?.text === '(') {
    columns = readColumns(lexer);
    if (columns === undefined) return undefined;
    token = lexer.next();
  }
  let settings = '';
  if (token?.upper === 'SETTINGS') {
    const start = token.end;
    do token = lexer.next();
    while (token !== undefined && token.upper !== 'FORMAT' && token.upper !== 'SELECT');
    settings = withoutComments(text, start, token?.start ?? start, lexer.comments);
  }
  if (token?.upper !== 'FORMAT') return undefined;
  const name = lexer.next();
  if (name?.upper === 'VALUES') return undefined;
  const format = INSERT_FORMATS.get(name?.upper ?? '');
  if (format === undefined) {
    throw new SqlRefusal(
      `Expected rows in one of ${[...INSERT_FORMATS.values()].join(', ')}, not ` +
        `${name?.text ?? 'none'}.`,
      UNKNOWN_FORMAT,
    );
  }
  return { table, columns, settings, format, dataStart: dataStart(text, lexer.at) };
}

const UNKNOWN_FORMAT = 73;

/** Behind the format's name: blanks up to and with one line end are not data. */
function dataStart(text: string, at: number): number {
  let start = at;
  while (text[start] === ' ' || text[start] === '\t') start += 1;
  if (text[start] === ';') start += 1;
  if (text[start] === '\r') start += 1;
  if (text[start] === '\n') start += 1;
  return start;
}

function readColumns(lexer: Lexer): string[] | undefined {
  const columns: string[] = [];
  for (;;) {
    const name = lexer.next();
    if (name?.kind !== 'word' && name?.kind !== 'quoted') return undefined;
    let column = unquote(name);
    let token = lexer.next();
    while (token?.text === '.') {
      column += `.${unquote(lexer.next() ?? name)}`;
      token = lexer.next();
    }
    columns.push(column);
    if (token?.text === ')') return columns;
    if (token?.text !== ',') return undefined;
  }
}

function readKill(sql: Sql): Statement {
  const [, query, where, id, equals, ...rest] = sql.tokens;
  const ok =
    query?.upper === 'QUERY' &&
    where?.upper === 'WHERE' &&
    id?.upper === 'QUERY_ID' &&
    equals?.text === '=';
  const [first, name, colon, type, close] = rest;
  const tail = (from: number) =>
    rest.slice(from).every((token) => ['SYNC', 'ASYNC'].includes(token.upper));
  if (ok && first?.kind === 'string' && rest.length <= 2 && tail(1)) {
    return { kind: 'kill', id: first };
  }
  const bound = first?.text === '{' && colon?.text === ':' && close?.text === '}';
  if (ok && bound && name?.kind === 'word' && type?.upper === 'STRING' && tail(5)) {
    return { kind: 'kill', id: { parameter: name.text } };
  }
  throw new SqlRefusal('Expected KILL QUERY WHERE query_id = {id:String}, and nothing more.');
}

function nameOf(token: Token | undefined): string {
  if (token?.kind === 'word' || token?.kind === 'quoted') return token.text;
  throw new SqlRefusal('Expected the name of a table behind INSERT INTO.');
}

/** The name or value inside the quotes, escapes undone as far as names use them. */
export function unquote(token: Token): string {
  if (token.kind !== 'quoted' && token.kind !== 'string') return token.text;
  const quote = token.text[0] as string;
  return token.text
    .slice(1, -1)
    .replaceAll(quote + quote, quote)
    .replaceAll(/\\x([0-9a-fA-F]{2})/g, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    )
    .replaceAll(/\\(.)/gs, '$1');
}
