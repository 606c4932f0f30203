// XXH64, as published with the xxHash specification. BigInt keeps it short and obvious; the code
// that hashes every span is the WebAssembly one (codec/otlp/assembly), this one serves look-ups.

const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;
const MASK = 0xffff_ffff_ffff_ffffn;
const STRIPE_BYTES = 32;

/** XXH64 of the bytes; seed and result are unsigned 64-bit numbers. */
export function xxh64(bytes: Uint8Array, seed: bigint): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length;
  const striped = length >= STRIPE_BYTES;
  let hash = striped ? hashStripes(view, seed) : wrap(seed + PRIME_5);
  let at = striped ? length - (length % STRIPE_BYTES) : 0;
  hash = wrap(hash + BigInt(length));
  for (; at + 8 <= length; at += 8) {
    hash ^= round(0n, view.getBigUint64(at, true));
    hash = wrap(rotateLeft(hash, 27n) * PRIME_1 + PRIME_4);
  }
  if (at + 4 <= length) {
    hash ^= wrap(BigInt(view.getUint32(at, true)) * PRIME_1);
    hash = wrap(rotateLeft(hash, 23n) * PRIME_2 + PRIME_3);
    at += 4;
  }
  for (; at < length; at++) {
    hash ^= wrap(BigInt(view.getUint8(at)) * PRIME_5);
    hash = wrap(rotateLeft(hash, 11n) * PRIME_1);
  }
  return avalanche(hash);
}

const utf8 = new TextEncoder();

/** The hash that `event_kv` holds: xxh64(text, xxh64(key, 0)), see codec/otlp/README.md. */
export function keyValueHash(key: string, text: string): bigint {
  return xxh64(utf8.encode(text), xxh64(utf8.encode(key), 0n));
}

/** Four lanes over all whole stripes, merged into one. */
function hashStripes(view: DataView, seed: bigint): bigint {
  let a = wrap(seed + PRIME_1 + PRIME_2);
  let b = wrap(seed + PRIME_2);
  let c = wrap(seed);
  let d = wrap(seed - PRIME_1);
  for (let at = 0; at + STRIPE_BYTES <= view.byteLength; at += STRIPE_BYTES) {
    a = round(a, view.getBigUint64(at, true));
    b = round(b, view.getBigUint64(at + 8, true));
    c = round(c, view.getBigUint64(at + 16, true));
    d = round(d, view.getBigUint64(at + 24, true));
  }
  let hash = wrap(rotateLeft(a, 1n) + rotateLeft(b, 7n) + rotateLeft(c, 12n) + rotateLeft(d, 18n));
  for (const lane of [a, b, c, d]) {
    hash = wrap((hash ^ round(0n, lane)) * PRIME_1 + PRIME_4);
  }
  return hash;
}

function round(lane: bigint, input: bigint): bigint {
  return wrap(rotateLeft(wrap(lane + input * PRIME_2), 31n) * PRIME_1);
}

function avalanche(hash: bigint): bigint {
  const second = wrap((hash ^ (hash >> 33n)) * PRIME_2);
  const third = wrap((second ^ (second >> 29n)) * PRIME_3);
  return third ^ (third >> 32n);
}

function rotateLeft(value: bigint, bits: bigint): bigint {
  return wrap((value << bits) | (value >> (64n - bits)));
}

function wrap(value: bigint): bigint {
  return value & MASK;
}
