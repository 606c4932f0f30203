// OTLP/JSON to protobuf in one pass: tokens in, fields out, no objects between. So numbers keep
// every digit, keys such as `__proto__` are only bytes, and depth is bounded while reading.
//
// OTLP 1.11, "JSON Protobuf Encoding": lowerCamelCase keys only, unknown keys ignored, ids in hex,
// enums by number, 64-bit integers as string or number. From ProtoJSON: null = absent. A key that
// comes twice is a field that comes twice: the last counts, repeated ones add up.

import { VALUE_DEPTH_MAX } from '../../limits.ts';
import { base64Bytes, doubleNumber, hexBytes, wholeNumber } from './json_scalar.ts';
import { JsonProblem, JsonScanner, NUMBER_CHARS_MAX } from './json_scan.ts';
import { ANY_VALUE, type Field, fieldOf, type MessageType, REQUEST } from './json_schema.ts';
import { readDuration, readTime, TIME_CHARS_MAX, type WireTime } from './json_time.ts';
import { ProtoWriter } from './proto_writer.ts';

export type JsonToProto =
  | { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer> }
  /** `message` names the place (`resourceSpans[0].scopeSpans[2]…`), never what stood there. */
  | { readonly ok: false; readonly message: string };

/** The ExportTraceServiceRequest that `json` describes, at the start of a buffer of its own. */
export function jsonToProto(json: Uint8Array): JsonToProto {
  return jsonToMessage(json, REQUEST);
}

/** The same for any message. */
export function jsonToMessage(json: Uint8Array, type: MessageType): JsonToProto {
  const transcoder = new Transcoder(json);
  try {
    return { ok: true, bytes: transcoder.run(type) };
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    return { ok: false, message: error.message };
  }
}

const INT64_MAX = 2n ** 63n - 1n;
const INT32_MAX = 2n ** 31n - 1n;

/** What a field of each whole-number kind may hold. */
const RANGE = {
  int64: [-INT64_MAX - 1n, INT64_MAX],
  fixed64: [0n, 2n ** 64n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  fixed32: [0n, 2n ** 32n - 1n],
  enum: [-INT32_MAX - 1n, INT32_MAX],
} as const;

/** The names of an enum that is read are shorter. */
const NAME_CHARS_MAX = 64;

/** Decimal digits that a double surely holds: those are read without a bigint. */
const SAFE_DIGITS = 15;

class Transcoder {
  readonly #scan: JsonScanner;
  readonly #out: ProtoWriter;
  /** Keys and indexes of where we are; only known keys get here. */
  readonly #path: (string | number)[] = [];

  constructor(json: Uint8Array) {
    this.#scan = new JsonScanner(json);
    // Protobuf is shorter than JSON but for freaks, which the writer grows for.
    this.#out = new ProtoWriter(json.length);
  }

  run(type: MessageType): Uint8Array<ArrayBuffer> {
    this.#object(type, 0);
    this.#scan.end();
    return this.#out.finish();
  }

  /** `depth` is that of the innermost AnyValue around it; an attribute's value has 1. */
  #object(type: MessageType, depth: number): void {
    const scan = this.#scan;
    if (scan.peek() !== 0x7b) this.#wrong('an object');
    scan.expect(0x7b);
    if (scan.took(0x7d)) return;
    do {
      scan.string();
      const field = fieldOf(type, scan.text, scan.from, scan.to);
      scan.expect(0x3a);
      if (field === undefined) {
        scan.skip();
        continue;
      }
      this.#path.push(field.key);
      this.#field(field, depth);
      this.#path.pop();
    } while (scan.took(0x2c));
    scan.expect(0x7d);
  }

  #field(field: Field, depth: number): void {
    const scan = this.#scan;
    if (scan.peek() === 0x6e) {
      scan.literal('null');
    } else if (field.repeated) {
      this.#array(field, depth);
    } else {
      this.#value(field, depth);
    }
  }

  #array(field: Field, depth: number): void {
    const scan = this.#scan;
    if (scan.peek() !== 0x5b) this.#wrong('an array');
    scan.expect(0x5b);
    if (scan.took(0x5d)) return;
    let index = 0;
    do {
      this.#path.push(index++);
      this.#value(field, depth);
      this.#path.pop();
    } while (scan.took(0x2c));
    scan.expect(0x5d);
  }

  #value(field: Field, depth: number): void {
    switch (field.kind) {
      case 'message':
        this.#message(field, depth);
        break;
      case 'string':
        this.#string(field);
        break;
      case 'id':
      case 'bytes':
        this.#bytes(field);
        break;
      case 'bool':
        this.#bool(field);
        break;
      case 'double':
        this.#double(field);
        break;
      case 'time':
        this.#time(field, 'a time as RFC 3339 writes it', readTime);
        break;
      case 'duration':
        this.#time(field, 'a duration in seconds, such as "0.25s"', readDuration);
        break;
      default:
        if (field.names !== undefined && this.#scan.peek() === 0x22) this.#name(field, field.names);
        else this.#whole(field, field.kind);
    }
  }

  #message(field: Field, depth: number): void {
    const type = field.message as MessageType;
    const inner = type === ANY_VALUE ? depth + 1 : depth;
    if (inner > VALUE_DEPTH_MAX) this.#wrong(`at most ${VALUE_DEPTH_MAX} values deep`);
    const mark = this.#out.begin(field.number);
    this.#object(type, inner);
    this.#out.end(mark);
  }

  #string(field: Field): void {
    const scan = this.#scan;
    if (scan.peek() !== 0x22) this.#wrong('a string');
    scan.string();
    if (scan.to > scan.from || field.presence || field.repeated) {
      this.#out.bytes(field.number, scan.text, scan.from, scan.to);
    }
  }

  #bytes(field: Field): void {
    const scan = this.#scan;
    const what = field.kind === 'id' ? 'a string of hex digits, two a byte' : 'a base64 string';
    if (scan.peek() !== 0x22) this.#wrong(what);
    scan.string();
    const decode = field.kind === 'id' ? hexBytes : base64Bytes;
    const bytes = decode(scan.text, scan.from, scan.to) ?? this.#wrong(what);
    if (bytes.length > 0 || field.presence) this.#out.bytes(field.number, bytes);
  }

  #bool(field: Field): void {
    const next = this.#scan.peek();
    if (next !== 0x74 && next !== 0x66) this.#wrong('true or false');
    this.#scan.literal(next === 0x74 ? 'true' : 'false');
    this.#out.uint(field.number, next === 0x74 ? 1 : 0);
  }

  #double(field: Field): void {
    this.#numberToken('a number');
    const value = doubleNumber(this.#scan.latin1());
    this.#out.double(field.number, value ?? this.#wrong('a number that a double can hold'));
  }

  /** Timestamp and Duration: 1 seconds, 2 nanos, both of the same sign. */
  #time(field: Field, what: string, read: (text: string) => WireTime | undefined): void {
    const scan = this.#scan;
    if (scan.peek() !== 0x22) this.#wrong(what);
    scan.string();
    const length = scan.to - scan.from;
    const time = length > TIME_CHARS_MAX ? undefined : read(scan.latin1());
    if (time === undefined) this.#wrong(what);
    const mark = this.#out.begin(field.number);
    if (time.seconds !== 0) this.#out.int(1, BigInt(time.seconds));
    if (time.nanos !== 0) this.#out.int(2, BigInt(time.nanos));
    this.#out.end(mark);
  }

  #name(field: Field, names: ReadonlyMap<string, number>): void {
    const scan = this.#scan;
    scan.string();
    const length = scan.to - scan.from;
    const number = length > NAME_CHARS_MAX ? undefined : names.get(scan.latin1());
    this.#out.uint(field.number, number ?? this.#wrong(`one of ${[...names.keys()].join(', ')}`));
  }

  #whole(field: Field, kind: keyof typeof RANGE): void {
    const what = kind === 'enum' ? 'the number of an enum value' : `a whole number (${kind})`;
    this.#numberToken(what);
    const value = this.#wholeToken() ?? this.#wrong(what);
    const [min, max] = RANGE[kind];
    if (value < min || value > max) this.#wrong(what);
    if (!field.presence && (value === 0 || value === 0n)) return;
    if (kind === 'fixed64') this.#out.fixed64(field.number, BigInt(value));
    else if (kind === 'fixed32') this.#out.fixed32(field.number, Number(value));
    else if (typeof value === 'number' && value >= 0) this.#out.uint(field.number, value);
    else this.#out.int(field.number, BigInt(value));
  }

  /** The whole number in the token, a bigint only where a number would not do. */
  #wholeToken(): number | bigint | undefined {
    const { text, from, to } = this.#scan;
    if (to - from > SAFE_DIGITS || to === from) return wholeNumber(this.#scan.latin1());
    let value = 0;
    for (let i = from; i < to; i++) {
      const digit = (text[i] as number) - 0x30;
      if (digit < 0 || digit > 9) return wholeNumber(this.#scan.latin1());
      value = value * 10 + digit;
    }
    return value;
  }

  /** A number, or a string that may hold one. */
  #numberToken(what: string): void {
    const next = this.#scan.peek();
    if (next === 0x22) {
      this.#scan.string();
      // Longer than any number that can be meant; parsing it would cost more than refusing.
      if (this.#scan.to - this.#scan.from > NUMBER_CHARS_MAX) this.#wrong(what);
    } else if (next === 0x2d || (next >= 0x30 && next <= 0x39)) this.#scan.number();
    else this.#wrong(what);
  }

  #wrong(expected: string): never {
    const place = this.#path
      .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
      .join('')
      .slice(1);
    throw new JsonProblem(`${place === '' ? 'the JSON body' : place} must be ${expected}`);
  }
}
