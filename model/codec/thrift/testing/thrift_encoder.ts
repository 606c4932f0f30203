// Thrift from plain trees, slow and obvious: the oracle of the readers. Knows nothing of them.

export type ThriftValue =
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'byte' | 'i16' | 'i32'; readonly value: number }
  | { readonly type: 'i64'; readonly value: bigint }
  | { readonly type: 'double'; readonly value: number }
  | { readonly type: 'string'; readonly value: string | Uint8Array }
  | { readonly type: 'struct'; readonly fields: readonly ThriftField[] }
  | ThriftList
  | {
      readonly type: 'map';
      readonly key: TypeName;
      readonly element: TypeName;
      readonly entries: readonly (readonly [ThriftValue, ThriftValue])[];
    };

interface ThriftList {
  readonly type: 'list' | 'set';
  readonly element: TypeName;
  readonly values: readonly ThriftValue[];
}

export type ThriftField = readonly [id: number, value: ThriftValue];

export type Protocol = 'strict' | 'old' | 'compact';

const TYPES = {
  bool: { binary: 2, compact: 1 },
  byte: { binary: 3, compact: 3 },
  double: { binary: 4, compact: 7 },
  i16: { binary: 6, compact: 4 },
  i32: { binary: 8, compact: 5 },
  i64: { binary: 10, compact: 6 },
  string: { binary: 11, compact: 8 },
  struct: { binary: 12, compact: 12 },
  map: { binary: 13, compact: 11 },
  set: { binary: 14, compact: 10 },
  list: { binary: 15, compact: 9 },
} as const;

export type TypeName = keyof typeof TYPES;

export function encodeValue(value: ThriftValue, protocol: Protocol): Buffer {
  return protocol === 'compact' ? compactValue(value) : binaryValue(value);
}

/** `type` is 1 for CALL, 4 for ONEWAY. */
export function encodeMessage(
  name: string,
  type: number,
  args: readonly ThriftField[],
  protocol: Protocol,
): Buffer {
  const body = encodeValue({ type: 'struct', fields: args }, protocol);
  const text = Buffer.from(name);
  if (protocol === 'compact') {
    const head = Buffer.from([0x82, (type << 5) | 1, 7]);
    return Buffer.concat([head, varint(BigInt(text.length)), text, body]);
  }
  const named = Buffer.concat([int(text.length, 4), text]);
  return protocol === 'strict'
    ? Buffer.concat([Buffer.from([0x80, 1, 0, type]), named, int(7, 4), body])
    : Buffer.concat([named, int(type, 1), int(7, 4), body]);
}

function binaryValue(value: ThriftValue): Buffer {
  switch (value.type) {
    case 'bool':
      return int(value.value ? 1 : 0, 1);
    case 'byte':
      return int(value.value, 1);
    case 'i16':
      return int(value.value, 2);
    case 'i32':
      return int(value.value, 4);
    case 'i64': {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64BE(value.value);
      return bytes;
    }
    case 'double': {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(value.value);
      return bytes;
    }
    case 'string': {
      const bytes = Buffer.from(value.value as string);
      return Buffer.concat([int(bytes.length, 4), bytes]);
    }
    case 'struct': {
      const fields = value.fields.map(([id, inner]) =>
        Buffer.concat([int(TYPES[inner.type].binary, 1), int(id, 2), binaryValue(inner)]),
      );
      return Buffer.concat([...fields, Buffer.of(0)]);
    }
    case 'map': {
      const head = [int(TYPES[value.key].binary, 1), int(TYPES[value.element].binary, 1)];
      const entries = value.entries.flatMap(([key, item]) => [binaryValue(key), binaryValue(item)]);
      return Buffer.concat([...head, int(value.entries.length, 4), ...entries]);
    }
    default: {
      const head = [int(TYPES[value.element].binary, 1), int(value.values.length, 4)];
      return Buffer.concat([...head, ...value.values.map(binaryValue)]);
    }
  }
}

function compactValue(value: ThriftValue): Buffer {
  switch (value.type) {
    case 'bool':
      return Buffer.of(value.value ? 1 : 2);
    case 'byte':
      return int(value.value, 1);
    case 'i16':
    case 'i32':
      return zigzag(BigInt(value.value));
    case 'i64':
      return zigzag(value.value);
    case 'double': {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value.value);
      return bytes;
    }
    case 'string': {
      const bytes = Buffer.from(value.value as string);
      return Buffer.concat([varint(BigInt(bytes.length)), bytes]);
    }
    case 'struct':
      return compactStruct(value.fields);
    case 'map': {
      if (value.entries.length === 0) return Buffer.of(0);
      const types = Buffer.of((TYPES[value.key].compact << 4) | TYPES[value.element].compact);
      const entries = value.entries.flatMap((entry) => entry.map(compactValue));
      return Buffer.concat([varint(BigInt(value.entries.length)), types, ...entries]);
    }
    default:
      return compactList(value);
  }
}

function compactStruct(fields: readonly ThriftField[]): Buffer {
  const parts: Buffer[] = [];
  let last = 0;
  for (const [id, value] of fields) {
    const type = value.type === 'bool' && !value.value ? 2 : TYPES[value.type].compact;
    const delta = id - last;
    if (delta > 0 && delta <= 15) parts.push(Buffer.of((delta << 4) | type));
    else parts.push(Buffer.of(type), zigzag(BigInt(id)));
    if (value.type !== 'bool') parts.push(compactValue(value));
    last = id;
  }
  return Buffer.concat([...parts, Buffer.of(0)]);
}

function compactList({ element, values }: ThriftList): Buffer {
  const type = TYPES[element].compact;
  const head =
    values.length < 15
      ? Buffer.of((values.length << 4) | type)
      : Buffer.concat([Buffer.of(0xf0 | type), varint(BigInt(values.length))]);
  return Buffer.concat([head, ...values.map(compactValue)]);
}

function int(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  if (bytes === 1) buffer.writeUInt8(value & 0xff);
  else buffer.writeIntBE(value, 0, bytes);
  return buffer;
}

function zigzag(value: bigint): Buffer {
  return varint(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}
