// A tokeniser for ClickHouse SQL that is stricter than the engine's own: what the two could read
// differently (heredocs, Unicode quotes, nested comments, `\G`) is refused instead of guessed at.
// It carries the front's rules on what the query secret may run, so doubt must mean no.

export interface Token {
  readonly kind: 'word' | 'string' | 'quoted' | 'symbol';
  /** As written; a word also in upper case for comparing keywords. */
  readonly text: string;
  readonly upper: string;
  readonly start: number;
  readonly end: number;
}

/** SQL that the front does not pass on; `code` is ClickHouse's error number for it. */
export class SqlRefusal extends Error {
  readonly code: number;
  constructor(message: string, code = 62) {
    super(message);
    this.name = 'SqlRefusal';
    this.code = code;
  }
}

/** Reads one token after the other, so that the raw data behind `FORMAT x` is never looked at. */
export class Lexer {
  readonly sql: string;
  /** Where the next token is looked for. */
  at = 0;
  /** Comments met so far, as [start, end) in `sql`. */
  readonly comments: [number, number][] = [];

  constructor(sql: string) {
    this.sql = sql;
  }

  next(): Token | undefined {
    this.#skipBlanks();
    const start = this.at;
    if (start >= this.sql.length) return undefined;
    const char = this.sql[start] as string;
    if (isWordChar(char)) return this.#word(start);
    if (char === "'") return this.#quoted(start, char, 'string');
    if (char === '`' || char === '"') return this.#quoted(start, char, 'quoted');
    if (char < '!' || char > '~' || char === '$' || char === '#' || char === '\\') {
      throw new SqlRefusal(
        `Expected plain SQL, found the character U+${hex4(char)} outside of quotes at position ` +
          `${start}; put it in a quoted string or a query parameter.`,
      );
    }
    this.at = start + 1;
    return { kind: 'symbol', text: char, upper: char, start, end: this.at };
  }

  #word(start: number): Token {
    let end = start + 1;
    while (end < this.sql.length && isWordChar(this.sql[end] as string)) end += 1;
    this.at = end;
    const text = this.sql.slice(start, end);
    return { kind: 'word', text, upper: text.toUpperCase(), start, end };
  }

  #quoted(start: number, quote: string, kind: 'string' | 'quoted'): Token {
    for (let at = start + 1; at < this.sql.length; at += 1) {
      const char = this.sql[at];
      if (char === '\\') at += 1;
      else if (char === '\0') break;
      else if (char === quote) {
        if (this.sql[at + 1] === quote) at += 1;
        else {
          this.at = at + 1;
          const text = this.sql.slice(start, this.at);
          return { kind, text, upper: text, start, end: this.at };
        }
      }
    }
    throw new SqlRefusal(`Expected a closing ${quote} for the quote opened at position ${start}.`);
  }

  #skipBlanks(): void {
    for (;;) {
      while (' \t\r\n'.includes(this.sql[this.at] ?? '.')) this.at += 1;
      const pair = this.sql.slice(this.at, this.at + 2);
      if (pair === '//') throw new SqlRefusal('Expected no // comment; write -- or /* */.');
      if (pair !== '--' && pair !== '/*') return;
      this.#comment(pair);
    }
  }

  #comment(opening: string): void {
    const start = this.at;
    const close = opening === '--' ? '\n' : '*/';
    const found = this.sql.indexOf(close, start + 2);
    if (found < 0 && opening === '/*') throw new SqlRefusal('Expected */ at the comment’s end.');
    const end = found < 0 ? this.sql.length : found + close.length;
    // Whether comments nest has changed between engine versions.
    const inner = this.sql.slice(start + 2, end);
    if (opening === '/*' && inner.includes('/*')) {
      throw new SqlRefusal('Expected comments that do not nest; take the inner /* out.');
    }
    this.comments.push([start, end]);
    this.at = end;
  }
}

/** The statement without comments and without a closing semicolon, and its tokens. */
export interface Sql {
  readonly text: string;
  readonly tokens: readonly Token[];
}

/** Reads a whole text as one statement; a second one behind a semicolon is refused. */
export function readStatement(sql: string): Sql {
  const lexer = new Lexer(sql);
  const tokens: Token[] = [];
  let ended = false;
  let end = sql.length;
  for (let token = lexer.next(); token !== undefined; token = lexer.next()) {
    if (token.text === ';') {
      if (!ended) end = token.start;
      ended = true;
      continue;
    }
    if (ended) throw new SqlRefusal('Expected one statement, found more behind a semicolon.');
    tokens.push(token);
  }
  if (tokens.length === 0) throw new SqlRefusal('Expected a statement, found an empty query.');
  return { text: withoutComments(sql, 0, end, lexer.comments), tokens };
}

/** sql[start, end) with each comment replaced by a space: the engine need not agree on them. */
export function withoutComments(
  sql: string,
  start: number,
  end: number,
  comments: readonly (readonly [number, number])[],
): string {
  let text = '';
  let at = start;
  for (const [from, to] of comments) {
    if (from < at || from >= end) continue;
    text += `${sql.slice(at, from)} `;
    at = to;
  }
  return text + sql.slice(at, Math.max(at, end));
}

/** Names of the `{name:Type}` placeholders. */
export function placeholders(tokens: readonly Token[]): Set<string> {
  const names = new Set<string>();
  for (let i = 0; i + 2 < tokens.length; i += 1) {
    if (tokens[i]?.text !== '{' || tokens[i + 2]?.text !== ':') continue;
    const name = tokens[i + 1];
    if (name?.kind === 'word') names.add(name.text);
  }
  return names;
}

/**
 * A string literal that is safe by construction: every byte but plain letters, digits and a few
 * marks goes as \xHH, so no value can end the literal.
 */
export function literal(value: string | Uint8Array): string {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  let text = "'";
  for (const byte of bytes) text += LITERAL_BYTES[byte];
  return `${text}'`;
}

const LITERAL_BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  return /[A-Za-z0-9 _.,:()/-]/.test(char) ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
});

function isWordChar(char: string): boolean {
  return (
    (char >= 'a' && char <= 'z') ||
    (char >= 'A' && char <= 'Z') ||
    (char >= '0' && char <= '9') ||
    char === '_'
  );
}

function hex4(char: string): string {
  return char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
}
