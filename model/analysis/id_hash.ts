// Hashes of ids for tables of our own. Ids come from senders, who could choose 100,000 that share
// a slot; so where an id falls depends on a number that is drawn when the process starts. What is
// in a table never does.

const SEED = Math.floor(Math.random() * 0x1_0000_0000);

/** The hash (32 bits, signed) of the 64-bit number at `row` of the halves, after `before`. */
export function hashAt(halves: Uint32Array, row: number, before = SEED): number {
  return mix(mix(before ^ halves[2 * row]!) ^ halves[2 * row + 1]!);
}

/** The finalizer of MurmurHash3: every bit of the input moves every bit of the result. */
export function mix(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x85eb_ca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2_ae35);
  return bits ^ (bits >>> 16);
}

/**
 * The columns whose values are 64 bits wide as pairs of 32, low first, as all machines that we run
 * on have it: an element of a BigInt array is an object, and costs as much as the rest of the row.
 */
export function halves(column: BigUint64Array | BigInt64Array): Uint32Array {
  return new Uint32Array(column.buffer, column.byteOffset, column.length * 2);
}

/** The hash (32 bits, signed) of two 32-bit numbers. */
export function hashPair(a: number, b: number): number {
  return mix(mix(SEED ^ a) ^ b);
}
