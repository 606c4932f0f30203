// A JSON reader (RFC 8259) over UTF-8 bytes that makes no objects: it hands out tokens as ranges of
// bytes. Bytes inside strings are not checked to be UTF-8, as with protobuf strings (README.md).

/**
 * Nesting of a value that is skipped because its key is unknown. JSON.parse would take millions of
 * levels and a recursive walk after it would not; nothing that a tracer sends is deeper than this.
 */
export const JSON_DEPTH_MAX = 64;

/** A double has at most 767 significant digits; a longer number is an attack on what parses it. */
export const NUMBER_CHARS_MAX = 1024;

/** Why the text was not taken; the message is for the sender, and holds nothing from the text. */
export class JsonProblem extends Error {}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export class JsonScanner {
  /** The content of the last string or number token: `text[from, to)`. */
  text: Uint8Array;
  from = 0;
  to = 0;
  readonly #json: Uint8Array;
  #at = 0;

  constructor(json: Uint8Array) {
    this.#json = json;
    this.text = json;
    // A byte order mark may be ignored (RFC 8259 §8.1).
    if (json[0] === 0xef && json[1] === 0xbb && json[2] === 0xbf) this.#at = 3;
  }

  get at(): number {
    return this.#at;
  }

  /** The next byte that is no white space, not consumed; -1 at the end. */
  peek(): number {
    const json = this.#json;
    for (;;) {
      const byte = json[this.#at];
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) this.#at += 1;
      else return byte ?? -1;
    }
  }

  /** Consumes `byte` if it comes next. */
  took(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.#at += 1;
    return true;
  }

  expect(byte: number): void {
    if (!this.took(byte)) this.fail(`'${String.fromCharCode(byte)}' was expected`);
  }

  end(): void {
    if (this.peek() !== -1) this.fail('nothing more was expected');
  }

  fail(what: string): never {
    throw new JsonProblem(`the JSON is broken at byte ${this.#at}: ${what}`);
  }

  /** Reads a string; its unescaped bytes are in `text[from, to)` until the next token. */
  string(): void {
    this.expect(QUOTE);
    const json = this.#json;
    const start = this.#at;
    let at = start;
    for (;;) {
      const byte = json[at] ?? -1;
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) {
        this.#escapedString(start, at);
        return;
      }
      if (byte < 0x20) this.#failString(at);
      at += 1;
    }
    this.text = json;
    this.from = start;
    this.to = at;
    this.#at = at + 1;
  }

  /** Reads a number; its characters are in `text[from, to)`. */
  number(): void {
    this.peek();
    const start = this.#at;
    this.text = this.#json;
    this.from = start;
    if (this.#json[this.#at] === 0x2d) this.#at += 1;
    if (this.#json[this.#at] === 0x30) this.#at += 1;
    else this.#digits();
    if (this.#json[this.#at] === 0x2e) {
      this.#at += 1;
      this.#digits();
    }
    if (((this.#json[this.#at] ?? 0) | 0x20) === 0x65) {
      this.#at += 1;
      const sign = this.#json[this.#at];
      if (sign === 0x2b || sign === 0x2d) this.#at += 1;
      this.#digits();
    }
    this.to = this.#at;
    if (this.to - start > NUMBER_CHARS_MAX) {
      this.fail(`a number is longer than ${NUMBER_CHARS_MAX} characters`);
    }
  }

  /** The last token as a string of one-byte characters: for numbers and keywords. */
  latin1(): string {
    let characters = '';
    for (let i = this.from; i < this.to; i++) {
      characters += String.fromCharCode(this.text[i] as number);
    }
    return characters;
  }

  /** Consumes `null`, `true` or `false`. */
  literal(word: 'null' | 'true' | 'false'): void {
    this.peek();
    for (let i = 0; i < word.length; i++) {
      if (this.#json[this.#at] !== word.charCodeAt(i)) this.fail(`'${word}' was expected`);
      this.#at += 1;
    }
  }

  /** Skips any value, at most JSON_DEPTH_MAX deep. */
  skip(depth = 1): void {
    const byte = this.peek();
    if (byte === QUOTE) this.string();
    else if (byte === 0x7b) this.#skipObject(depth);
    else if (byte === 0x5b) this.#skipArray(depth);
    else if (byte === 0x6e) this.literal('null');
    else if (byte === 0x74) this.literal('true');
    else if (byte === 0x66) this.literal('false');
    else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) this.number();
    else this.fail('a value was expected');
  }

  #skipObject(depth: number): void {
    this.#checkDepth(depth);
    this.expect(0x7b);
    if (this.took(0x7d)) return;
    do {
      this.string();
      this.expect(0x3a);
      this.skip(depth + 1);
    } while (this.took(0x2c));
    this.expect(0x7d);
  }

  #skipArray(depth: number): void {
    this.#checkDepth(depth);
    this.expect(0x5b);
    if (this.took(0x5d)) return;
    do this.skip(depth + 1);
    while (this.took(0x2c));
    this.expect(0x5d);
  }

  #checkDepth(depth: number): void {
    if (depth > JSON_DEPTH_MAX) this.fail(`it is nested deeper than ${JSON_DEPTH_MAX} levels`);
  }

  #digits(): void {
    const start = this.#at;
    for (;;) {
      const byte = this.#json[this.#at] ?? 0;
      if (byte < 0x30 || byte > 0x39) break;
      this.#at += 1;
    }
    if (this.#at === start) this.fail('a digit was expected');
  }

  #failString(at: number): never {
    this.#at = Math.min(at, this.#json.length);
    this.fail(
      at >= this.#json.length ? 'a string does not end' : 'a control character must be escaped',
    );
  }

  /** The slow half of string(): `start` is its first byte, `at` its first backslash. */
  #escapedString(start: number, at: number): void {
    const json = this.#json;
    const end = this.#closingQuote(at);
    // Escapes are never shorter than what they stand for.
    const text = new Uint8Array(end - start);
    let to = 0;
    for (let i = start; i < end; ) {
      const byte = json[i] as number;
      if (byte !== BACKSLASH) {
        text[to++] = byte;
        i += 1;
        continue;
      }
      this.#at = i;
      const letter = json[i + 1] as number;
      if (letter === 0x75) {
        const high = this.#hex4(i + 2);
        const low = this.#lowSurrogate(high, i + 6);
        to = putUtf8(text, to, low < 0 ? high : 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
        i += low < 0 ? 6 : 12;
      } else {
        const plain = ESCAPES.get(letter);
        if (plain === undefined) this.fail('an unknown escape');
        text[to++] = plain;
        i += 2;
      }
    }
    this.text = text;
    this.from = 0;
    this.to = to;
    this.#at = end + 1;
  }

  #closingQuote(from: number): number {
    const json = this.#json;
    let at = from;
    for (;;) {
      const byte = json[at] ?? -1;
      if (byte === QUOTE) return at;
      if (byte < 0x20) this.#failString(at);
      at += byte === BACKSLASH ? 2 : 1;
    }
  }

  #lowSurrogate(high: number, at: number): number {
    if (high < 0xd800 || high > 0xdbff) return -1;
    if (this.#json[at] !== BACKSLASH || this.#json[at + 1] !== 0x75) return -1;
    const low = this.#hex4(at + 2);
    return low >= 0xdc00 && low <= 0xdfff ? low : -1;
  }

  #hex4(at: number): number {
    let value = 0;
    for (let i = at; i < at + 4; i++) {
      const digit = hexDigit(this.#json[i] ?? 0);
      if (digit < 0) this.fail('four hex digits were expected after \\u');
      value = value * 16 + digit;
    }
    return value;
  }
}

/** 0 to 15, or -1. */
export function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

const ESCAPES: ReadonlyMap<number, number> = new Map([
  [0x22, 0x22],
  [0x5c, 0x5c],
  [0x2f, 0x2f],
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
]);

/** A lone surrogate has no UTF-8: U+FFFD, as JavaScript's own encoder does. */
function putUtf8(text: Uint8Array, at: number, codePoint: number): number {
  const point = codePoint >= 0xd800 && codePoint <= 0xdfff ? 0xfffd : codePoint;
  let to = at;
  if (point < 0x80) {
    text[to++] = point;
  } else if (point < 0x800) {
    text[to++] = 0xc0 | (point >> 6);
    text[to++] = 0x80 | (point & 0x3f);
  } else if (point < 0x10000) {
    text[to++] = 0xe0 | (point >> 12);
    text[to++] = 0x80 | ((point >> 6) & 0x3f);
    text[to++] = 0x80 | (point & 0x3f);
  } else {
    text[to++] = 0xf0 | (point >> 18);
    text[to++] = 0x80 | ((point >> 12) & 0x3f);
    text[to++] = 0x80 | ((point >> 6) & 0x3f);
    text[to++] = 0x80 | (point & 0x3f);
  }
  return to;
}
