// `prettyPrint=true`: JSON text, piece by piece, indented by four spaces as Jaeger does it.

const INDENT = '    ';

/** Feed it the pieces of one compact JSON text in order. */
export class PrettyPrinter {
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** A bracket was opened, and what follows tells whether it is empty. */
  #opened = false;

  write(piece: string): string {
    let out = '';
    let plain = 0;
    for (let i = 0; i < piece.length; i++) {
      const char = piece[i]!;
      if (this.#inString) {
        this.#step(char);
        continue;
      }
      out += piece.slice(plain, i) + this.#token(char);
      plain = i + 1;
    }
    return out + piece.slice(plain);
  }

  #step(char: string): void {
    if (this.#escaped) this.#escaped = false;
    else if (char === '\\') this.#escaped = true;
    else if (char === '"') this.#inString = false;
  }

  #token(char: string): string {
    if (char === '}' || char === ']') return this.#close(char);
    const before = this.#opened ? this.#line() : '';
    this.#opened = char === '{' || char === '[';
    if (this.#opened) this.#depth++;
    if (char === '"') this.#inString = true;
    if (char === ',') return `,${this.#line()}`;
    if (char === ':') return ': ';
    return before + char;
  }

  #close(char: string): string {
    this.#depth--;
    const before = this.#opened ? '' : this.#line();
    this.#opened = false;
    return before + char;
  }

  #line(): string {
    return `\n${INDENT.repeat(this.#depth)}`;
  }
}
