// A bounded protobuf reader over linear memory. P is the cursor. What is malformed traps: the host
// catches it and asks `failure()` for the reason; no state survives a trap.

/** The cursor: an address in linear memory. */
export let P: usize = 0;

export function seek(to: usize): void {
  P = to;
}

/** Wire grammar broken at P. */
export function malformed(): void {
  unreachable();
}

/** varint of at most 5 bytes below 2^32: a tag or a length. */
export function readSmall(end: usize): u32 {
  if (P >= end) unreachable();
  let x: u32 = load<u8>(P++);
  if (x < 128) return x;
  let result = x & 127;
  if (P >= end) unreachable();
  x = load<u8>(P++);
  result |= (x & 127) << 7;
  if (x < 128) return result;
  if (P >= end) unreachable();
  x = load<u8>(P++);
  result |= (x & 127) << 14;
  if (x < 128) return result;
  if (P >= end) unreachable();
  x = load<u8>(P++);
  result |= (x & 127) << 21;
  if (x < 128) return result;
  if (P >= end) unreachable();
  x = load<u8>(P++);
  if (x > 15) unreachable();
  return result | (x << 28);
}

/** Reads a length that must fit into what is left before `end`. */
// @ts-ignore: decorator
@inline
export function readLength(end: usize): u32 {
  const first: u32 = P < end ? load<u8>(P) : 255;
  let length: u32;
  if (first < 128) {
    P++;
    length = first;
  } else length = readSmall(end);
  if (<usize>length > end - P) unreachable();
  return length;
}

// @ts-ignore: decorator
@inline
export function readTag(end: usize): u32 {
  const first: u32 = P < end ? load<u8>(P) : 255;
  if (first < 128) {
    P++;
    return first;
  }
  return readSmall(end);
}

/** varint of at most 10 bytes; bits above 64 fall off. */
export function readVarint(end: usize): u64 {
  let result: u64 = 0;
  let shift: u64 = 0;
  for (let i = 0; i < 10; i++) {
    if (P >= end) unreachable();
    const x: u64 = load<u8>(P++);
    if (shift < 64) result |= (x & 127) << shift;
    if (x < 128) return result;
    shift += 7;
  }
  unreachable();
  return 0;
}

// @ts-ignore: decorator
@inline
export function readFixed64(end: usize): u64 {
  if (end - P < 8) unreachable();
  const value = load<u64>(P);
  P += 8;
  return value;
}

// @ts-ignore: decorator
@inline
export function readFixed32(end: usize): u32 {
  if (end - P < 4) unreachable();
  const value = load<u32>(P);
  P += 4;
  return value;
}

/** Skips the payload of an unknown field. */
export function skipField(tag: u32, end: usize): void {
  if (tag >> 3 == 0) unreachable();
  switch (tag & 7) {
    case 0: {
      readVarint(end);
      return;
    }
    case 1: {
      readFixed64(end);
      return;
    }
    case 2: {
      const length = readLength(end);
      P += length;
      return;
    }
    case 5: {
      readFixed32(end);
      return;
    }
    default:
      unreachable();
  }
}

/** Writes a varint at `at`; returns the address behind it. */
export function putVarint(at: usize, value: u32): usize {
  while (value > 127) {
    store<u8>(at++, <u8>(value | 128));
    value >>= 7;
  }
  store<u8>(at++, <u8>value);
  return at;
}

/** Copies; for short pieces 16 bytes at a time, which may write up to 15 bytes past the end. */
// @ts-ignore: decorator
@inline
export function copy(to: usize, from: usize, length: usize): void {
  if (length <= 64) {
    let i: usize = 0;
    do {
      v128.store(to + i, v128.load(from + i));
      i += 16;
    } while (i < length);
  } else memory.copy(to, from, length);
}

/** Length of `[at, at + length)` cut to `max` bytes at a UTF-8 boundary. */
export function cutUtf8(at: usize, length: u32, max: u32): u32 {
  if (length <= max) return length;
  let cut = max;
  for (let step = 0; step < 3 && (load<u8>(at + cut) & 0xc0) == 0x80; step++) cut--;
  return cut;
}
