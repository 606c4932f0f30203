// XXH64 (the published algorithm; model/hash.ts is its twin) for ids that are stored, and a seeded
// hash for dictionaries, whose seed changes by process so that nobody can prepare collisions.

const P1: u64 = 0x9e3779b185ebca87;
const P2: u64 = 0xc2b2ae3d27d4eb4f;
const P3: u64 = 0x165667b19e3779f9;
const P4: u64 = 0x85ebca77c2b2ae63;
const P5: u64 = 0x27d4eb2f165667c5;

// @ts-ignore: decorator
@inline
function round(acc: u64, input: u64): u64 {
  return rotl(acc + input * P2, 31) * P1;
}

// @ts-ignore: decorator
@inline
function mergeRound(acc: u64, value: u64): u64 {
  return (acc ^ round(0, value)) * P1 + P4;
}

export function xxh64(at: usize, length: usize, seed: u64): u64 {
  const end = at + length;
  let h: u64;
  if (length >= 32) {
    let a = seed + P1 + P2;
    let b = seed + P2;
    let c = seed;
    let d = seed - P1;
    const limit = end - 32;
    do {
      a = round(a, load<u64>(at));
      b = round(b, load<u64>(at, 8));
      c = round(c, load<u64>(at, 16));
      d = round(d, load<u64>(at, 24));
      at += 32;
    } while (at <= limit);
    h = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
    h = mergeRound(h, a);
    h = mergeRound(h, b);
    h = mergeRound(h, c);
    h = mergeRound(h, d);
  } else h = seed + P5;
  h += <u64>length;
  while (at + 8 <= end) {
    h = rotl(h ^ round(0, load<u64>(at)), 27) * P1 + P4;
    at += 8;
  }
  if (at + 4 <= end) {
    h = rotl(h ^ (<u64>load<u32>(at) * P1), 23) * P2 + P3;
    at += 4;
  }
  while (at < end) {
    h = rotl(h ^ (<u64>load<u8>(at) * P5), 11) * P1;
    at++;
  }
  h = (h ^ (h >> 33)) * P2;
  h = (h ^ (h >> 29)) * P3;
  return h ^ (h >> 32);
}

let secret: u64 = 0;

/** Sets the dictionaries' secret; must be called once before any dictionary is filled. */
export function seedDictionaries(seed: u64): void {
  secret = seed;
}

/** Every byte counts; reads in words of 8, up to 7 bytes past a short string (masked away). */
// @ts-ignore: decorator
@inline
export function dictionaryHash(at: usize, length: u32): u32 {
  let h: u64 = secret ^ (<u64>length * P3);
  if (length < 8) {
    const mask: u64 = length == 0 ? 0 : ~(<u64>0) >> (64 - (<u64>length << 3));
    h = (h ^ (load<u64>(at) & mask)) * P1;
  } else {
    const last = at + length - 8;
    for (let i = at; i < last; i += 8) h = rotl(h ^ load<u64>(i), 29) * P1;
    h = (rotl(h, 29) ^ load<u64>(last)) * P2;
  }
  h ^= h >> 32;
  h *= P1 ^ secret | 1;
  return <u32>(h >> 32);
}

/** Equal bytes; reads in words of 8, masked at the end. */
// @ts-ignore: decorator
@inline
export function equalBytes(a: usize, b: usize, length: u32): bool {
  let i: u32 = 0;
  while (i + 8 <= length) {
    if (load<u64>(a + i) != load<u64>(b + i)) return false;
    i += 8;
  }
  if (i == length) return true;
  const mask: u64 = ~(<u64>0) >> (64 - (<u64>(length - i) << 3));
  return ((load<u64>(a + i) ^ load<u64>(b + i)) & mask) == 0;
}
