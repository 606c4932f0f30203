// Protobuf, read one message at a time into a list of its fields. Rules: ../README.md, "Reading
// protobuf".

/** Bytes that refuse the whole request; the message is a sentence for the sender. */
export class MalformedError extends Error {}

/** 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes; the others are malformed. */
export type WireType = 0 | 1 | 2 | 5;

/** Field number to wire type, of the fields that we know of a message. */
export type KnownFields = ReadonlyMap<number, WireType>;

export interface Field {
  readonly number: number;
  /** Wire types 0, 1 and 5: unsigned, at most 64 bits. Else 0. */
  readonly value: bigint;
  /** Wire type 2: what stands after the length. Else empty. */
  readonly payload: Uint8Array;
  /** Tag and all, as it came. */
  readonly raw: Uint8Array;
}

const TAG_BYTES_MAX = 5;
const LENGTH_BYTES_MAX = 5;
const VARINT_BYTES_MAX = 10;
const NO_BYTES = new Uint8Array(0);

/** The fields of one message, known and unknown, in the order sent. Throws MalformedError. */
export function readMessage(message: Uint8Array, known: KnownFields): Field[] {
  const fields: Field[] = [];
  let at = 0;
  while (at < message.length) {
    const tag = readVarint(message, at, TAG_BYTES_MAX);
    if (tag.value >= 1n << 32n) {
      throw new MalformedError('Expected a protobuf tag below 2^32; a larger one came.');
    }
    const number = Number(tag.value >> 3n);
    const wire = Number(tag.value & 7n);
    if (number === 0) {
      throw new MalformedError('Expected protobuf field numbers from 1; field 0 came.');
    }
    const expected = known.get(number) ?? wire;
    if (expected !== wire) {
      throw new MalformedError(
        `Expected wire type ${expected} for protobuf field ${number}; ${wire} came.`,
      );
    }
    const content = readContent(message, tag.end, wire);
    fields.push({
      number,
      value: content.value,
      payload: content.payload,
      raw: message.subarray(at, content.end),
    });
    at = content.end;
  }
  return fields;
}

/** The last field of that number, which is the one that counts. */
export function lastField(fields: readonly Field[], number: number): Field | undefined {
  return fields.findLast((field) => field.number === number);
}

export function lastBytes(fields: readonly Field[], number: number): Uint8Array {
  return lastField(fields, number)?.payload ?? NO_BYTES;
}

export function lastNumber(fields: readonly Field[], number: number): bigint {
  return lastField(fields, number)?.value ?? 0n;
}

/** The payloads of all fields of that number, in order. */
export function allBytes(fields: readonly Field[], number: number): Uint8Array[] {
  return fields.filter((field) => field.number === number).map((field) => field.payload);
}

/** The minimal form. */
export function encodeVarint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  while (left >= 0x80n) {
    bytes.push(Number(left & 0x7fn) | 0x80);
    left >>= 7n;
  }
  bytes.push(Number(left));
  return Uint8Array.from(bytes);
}

interface Content {
  readonly value: bigint;
  readonly payload: Uint8Array;
  readonly end: number;
}

function readContent(message: Uint8Array, at: number, wire: number): Content {
  switch (wire) {
    case 0: {
      const { value, end } = readVarint(message, at, VARINT_BYTES_MAX);
      return { value: BigInt.asUintN(64, value), payload: NO_BYTES, end };
    }
    case 1:
    case 5: {
      const end = at + (wire === 1 ? 8 : 4);
      return { value: littleEndian(slice(message, at, end)), payload: NO_BYTES, end };
    }
    case 2: {
      const length = readVarint(message, at, LENGTH_BYTES_MAX);
      const end = length.end + Number(length.value);
      return { value: 0n, payload: slice(message, length.end, end), end };
    }
    default:
      throw new MalformedError(`Expected protobuf wire types 0, 1, 2 or 5; ${wire} came.`);
  }
}

function slice(message: Uint8Array, at: number, end: number): Uint8Array {
  if (end > message.length) {
    throw new MalformedError(
      `Expected ${end - at} bytes of a protobuf field; only ${message.length - at} are left.`,
    );
  }
  return message.subarray(at, end);
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** As many bits as the bytes carry: a tenth byte may reach above 64. */
function readVarint(
  message: Uint8Array,
  start: number,
  bytesMax: number,
): { value: bigint; end: number } {
  let value = 0n;
  for (let i = 0; i < bytesMax; i++) {
    const byte = message[start + i];
    if (byte === undefined) {
      throw new MalformedError('Expected the rest of a protobuf varint; the message ends in it.');
    }
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value, end: start + i + 1 };
  }
  throw new MalformedError(`Expected a protobuf varint of at most ${bytesMax} bytes; it goes on.`);
}
