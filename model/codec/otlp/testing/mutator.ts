// Broken and odd requests out of good ones. Blind changes mostly make malformed bytes; changes that
// know protobuf's structure mostly make strange but readable ones. Both are wanted.

import { encodeVarint, type Field, MalformedError, readMessage } from '../twin/wire.ts';
import type { Random } from './prng.ts';

type Mutation = (bytes: Uint8Array, random: Random, donor: Uint8Array) => Uint8Array;
type FieldsMutation = (fields: Uint8Array[], random: Random, donor: Uint8Array) => Uint8Array[];

const KNOWN_NONE = new Map<number, never>();

/** One to three changes; `donor` is another request that parts may come from. */
export function mutate(bytes: Uint8Array, donor: Uint8Array, random: Random): Uint8Array {
  let changed = bytes;
  for (let left = 1 + random.below(3); left > 0; left--) {
    const mutation = random.oneIn(4) ? (random.pick(BLIND) ?? flipBit) : changeStructure;
    changed = mutation(changed, random, donor);
  }
  return changed;
}

const flipBit: Mutation = (bytes, random) => {
  const changed = Uint8Array.from(bytes);
  const at = random.below(bytes.length);
  if (at < changed.length) changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
  return changed;
};

const setByte: Mutation = (bytes, random) => {
  const changed = Uint8Array.from(bytes);
  const at = random.below(bytes.length);
  if (at < changed.length)
    changed[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]) ?? 0;
  return changed;
};

/** Lengths are bytes off by one more often than anything else. */
const nudgeByte: Mutation = (bytes, random) => {
  const changed = Uint8Array.from(bytes);
  const at = random.below(bytes.length);
  if (at < changed.length) changed[at] = (changed[at] ?? 0) + (random.oneIn(2) ? 1 : 255);
  return changed;
};

const truncate: Mutation = (bytes, random) => bytes.slice(0, random.below(bytes.length + 1));

const remove: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  return join([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(4))]);
};

const insert: Mutation = (bytes, random) => {
  const at = random.below(bytes.length + 1);
  return join([
    bytes.subarray(0, at),
    randomBytes(random, 1 + random.below(4)),
    bytes.subarray(at),
  ]);
};

const splice: Mutation = (bytes, random, donor) => {
  const from = random.below(donor.length);
  const part = donor.subarray(from, from + random.below(40));
  const at = random.below(bytes.length + 1);
  const replaced = random.oneIn(2) ? part.length : 0;
  return join([bytes.subarray(0, at), part, bytes.subarray(at + replaced)]);
};

const BLIND: readonly Mutation[] = [flipBit, setByte, nudgeByte, truncate, remove, insert, splice];

/** Changes the fields of a random message in the request, and keeps all lengths around it right. */
function changeStructure(bytes: Uint8Array, random: Random, donor: Uint8Array): Uint8Array {
  const fields = fieldsOf(bytes);
  if (fields === undefined) return flipBit(bytes, random, donor);
  const drawn = random.oneIn(4) ? undefined : random.pick(fields);
  const chosen = drawn !== undefined && looksLikeMessage(drawn.payload) ? drawn : undefined;
  const raws = fields.map((field) => field.raw);
  if (chosen === undefined) {
    return join((random.pick(FIELDS_MUTATIONS) ?? duplicateField)(raws, random, donor));
  }
  const payload = changeStructure(chosen.payload, random, donor);
  const changed = join([tagOf(chosen.raw), encodeVarint(BigInt(payload.length)), payload]);
  return join(fields.map((field) => (field === chosen ? changed : field.raw)));
}

const duplicateField: FieldsMutation = (fields, random) => {
  const copy = random.pick(fields);
  const at = random.below(fields.length + 1);
  return copy === undefined ? fields : fields.toSpliced(at, 0, copy);
};

const removeField: FieldsMutation = (fields, random) => {
  return fields.toSpliced(random.below(fields.length), 1);
};

const moveField: FieldsMutation = (fields, random) => {
  const from = random.below(fields.length);
  const moved = fields[from];
  const rest = fields.toSpliced(from, 1);
  return moved === undefined ? fields : rest.toSpliced(random.below(fields.length), 0, moved);
};

const addField: FieldsMutation = (fields, random) => {
  const number = random.oneIn(2) ? random.below(18) : random.below(2 ** 29);
  const wire = random.oneIn(20) ? random.below(8) : (random.pick([0, 1, 2, 5]) ?? 0);
  const tag = encodeVarint((BigInt(number) << 3n) | BigInt(wire));
  const field = join([tag, randomContent(wire, random)]);
  return fields.toSpliced(random.below(fields.length + 1), 0, field);
};

/** A field of the donor, from any depth: a span where a resource should be. */
const adoptField: FieldsMutation = (fields, random, donor) => {
  let from = fieldsOf(donor) ?? [];
  let adopted = random.pick(from);
  while (adopted !== undefined && !random.oneIn(3)) {
    from = fieldsOf(adopted.payload) ?? [];
    adopted = random.pick(from) ?? adopted;
    if (from.length === 0) break;
  }
  const at = random.below(fields.length + 1);
  return adopted === undefined ? fields : fields.toSpliced(at, 0, adopted.raw);
};

const changeTag: FieldsMutation = (fields, random) => {
  return changeOne(fields, random, (field) => {
    const number = 1 + random.below(17);
    const wire = random.oneIn(4) ? random.below(8) : (field[0] ?? 0) & 7;
    const tag = encodeVarint(BigInt(number * 8 + wire));
    return join([tag, field.subarray(tagOf(field).length)]);
  });
};

/** The tag, or the varint after it, in more bytes than it needs: up to 11, which are too many. */
const stretchVarint: FieldsMutation = (fields, random) => {
  return changeOne(fields, random, (field) => {
    const tag = tagOf(field);
    if (random.oneIn(2)) {
      return join([stretch(tag, 1 + random.below(6)), field.subarray(tag.length)]);
    }
    const wire = (tag[0] ?? 0) & 7;
    if (wire !== 0 && wire !== 2) return field;
    const varint = leadingVarint(field.subarray(tag.length));
    const after = field.subarray(tag.length + varint.length);
    return join([tag, stretch(varint, 1 + random.below(wire === 0 ? 11 : 6)), after]);
  });
};

/** A value in arrays or maps, around the depth that is allowed. */
const nestValue: FieldsMutation = (fields, random) => {
  let value: Uint8Array = new Uint8Array(0);
  const depth = random.pick([1, 2, 3, 49, 49, 50, 50, 60]) ?? 1;
  for (let level = 1; level < depth; level++) {
    const inMap = random.oneIn(2);
    const list = lengthed(1, inMap ? lengthed(2, value) : value);
    value = lengthed(inMap ? 6 : 5, list);
  }
  const attribute = join([lengthed(1, randomBytes(random, 1)), lengthed(2, value)]);
  // The number of a neighbour, which is often an attribute.
  const number = Math.max(1, (random.pick(fields)?.[0] ?? 0) >> 3);
  const field = lengthed(number, attribute);
  return fields.toSpliced(random.below(fields.length + 1), 0, field);
};

/** A text around the limit of a service, a name or key, or (seldom: it is slow) a value. */
const inflateField: FieldsMutation = (fields, random) => {
  return changeOne(fields, random, (field) => {
    const tag = tagOf(field);
    if (((tag[0] ?? 0) & 7) !== 2) return field;
    const max = random.oneIn(30) ? 65_536 : (random.pick([255, 1024]) ?? 255);
    const unit = Buffer.from(random.pick(['x', 'é', '結', '🧭']) ?? 'x');
    const shift = random.below(4);
    const text = Buffer.alloc(max - 2 + random.below(5), unit);
    const payload = join([Buffer.alloc(shift, 'x'), text.subarray(shift)]);
    return join([tag, encodeVarint(BigInt(payload.length)), payload]);
  });
};

const FIELDS_MUTATIONS: readonly FieldsMutation[] = [
  duplicateField,
  removeField,
  moveField,
  addField,
  adoptField,
  changeTag,
  stretchVarint,
  nestValue,
  inflateField,
];

function changeOne(
  fields: Uint8Array[],
  random: Random,
  change: (field: Uint8Array) => Uint8Array,
): Uint8Array[] {
  const at = random.below(fields.length);
  return fields.map((field, i) => (i === at ? change(field) : field));
}

function randomContent(wire: number, random: Random): Uint8Array {
  if (wire === 0) return encodeVarint(BigInt(random.below(2 ** 40)) << BigInt(random.below(25)));
  if (wire === 1) return randomBytes(random, 8);
  if (wire === 5) return randomBytes(random, 4);
  const payload = randomBytes(random, random.pick([0, 1, 7, 8, 9, 15, 16, 17]) ?? 0);
  return join([encodeVarint(BigInt(payload.length)), payload]);
}

function fieldsOf(message: Uint8Array): Field[] | undefined {
  try {
    return readMessage(message, KNOWN_NONE);
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}

/** Texts do seldom. */
function looksLikeMessage(payload: Uint8Array): boolean {
  return payload.length > 0 && fieldsOf(payload) !== undefined;
}

function lengthed(number: number, payload: Uint8Array): Uint8Array {
  return join([
    encodeVarint(BigInt(number * 8 + 2)),
    encodeVarint(BigInt(payload.length)),
    payload,
  ]);
}

function tagOf(field: Uint8Array): Uint8Array {
  return leadingVarint(field);
}

function leadingVarint(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.findIndex((byte) => byte < 0x80) + 1);
}

/** The same number with `extra` bytes of nothing at its end. */
function stretch(varint: Uint8Array, extra: number): Uint8Array {
  const stretched = new Uint8Array(varint.length + extra).fill(0x80);
  varint.forEach((byte, i) => {
    stretched[i] = byte | 0x80;
  });
  stretched[stretched.length - 1] = 0;
  return stretched;
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
