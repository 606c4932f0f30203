// LowCardinality columns: one dictionary a column and block, indexes as u16, '' always at 0.
// A slot of the table holds {generation, index + 1}: emptying is a new generation, not a memset.

import { DICTIONARIES, DICTIONARY_BYTES, DICTIONARY_COUNT, SLACK } from './layout';
import { dictionaryHash, equalBytes } from './hash';
import { copy, putVarint } from './reader';

export const D_TENANT: u32 = 0;
export const D_SERVICE: u32 = 1;
export const D_NAME: u32 = 2;
export const D_ATTR_S: u32 = 3;
export const D_ATTR_I: u32 = 4;
export const D_ATTR_D: u32 = 5;
export const D_ATTR_B: u32 = 6;
export const D_ATTR_X: u32 = 7;
export const D_RESOURCE: u32 = 8;
export const D_SCOPE: u32 = 9;

const KB: usize = 1024;
const SLOTS: u32 = 131072;
const TABLE: usize = 0; // u64[SLOTS]
const KEY_AT: usize = 1024 * KB; // u32[65536]: address of the key's bytes
const KEY_LENGTH: usize = 1280 * KB; // u32[65536]
const KEY_HASH: usize = 1536 * KB; // u32[65536]
const KEYS: usize = 2048 * KB; // varint length + bytes, as ClickHouse writes strings
const KEYS_BYTES: usize = 8192 * KB;
const INDEXES: usize = 10240 * KB; // u16[ROWS_OF_INDEXES]
const INDEXES_MAX: u32 = 4 * 1024 * 1024;

/** A row adds at most this many keys and this many bytes of keys to one dictionary (limits.ts). */
const ROW_KEYS: u32 = 1100;
const ROW_KEY_BYTES: usize = 1200 * KB;

const counts = new StaticArray<u32>(16);
const keysEnd = new StaticArray<usize>(16);
const indexCounts = new StaticArray<u32>(16);
let generation: u32 = 0;

// @ts-ignore: decorator
@inline
function base(column: u32): usize {
  return DICTIONARIES + <usize>column * DICTIONARY_BYTES;
}

/** Empties all dictionaries for a new block. */
export function resetDictionaries(): void {
  generation++;
  for (let c: u32 = 0; c < DICTIONARY_COUNT; c++) {
    unchecked((counts[c] = 0));
    unchecked((keysEnd[c] = base(c) + KEYS));
    unchecked((indexCounts[c] = 0));
    intern(c, SLACK, 0);
  }
}

/** True while one more row of any shape fits into every dictionary. */
export function dictionariesHaveRoom(): bool {
  for (let c: u32 = 0; c < DICTIONARY_COUNT; c++) {
    if (unchecked(counts[c]) > 65535 - ROW_KEYS) return false;
    if (unchecked(indexCounts[c]) > INDEXES_MAX - ROW_KEYS) return false;
    if (unchecked(keysEnd[c]) > base(c) + KEYS + KEYS_BYTES - ROW_KEY_BYTES) return false;
  }
  return true;
}

/** The index of these bytes, added if new. */
export function intern(column: u32, at: usize, length: u32): u32 {
  const b = base(column);
  const hash = dictionaryHash(at, length);
  let slot = hash & (SLOTS - 1);
  while (true) {
    const entry = load<u64>(b + TABLE + (<usize>slot << 3));
    if (<u32>(entry >> 32) != generation) break;
    const i = <usize>(<u32>entry);
    if (
      load<u32>(b + KEY_HASH + (i << 2)) == hash &&
      load<u32>(b + KEY_LENGTH + (i << 2)) == length &&
      equalBytes(<usize>load<u32>(b + KEY_AT + (i << 2)), at, length)
    )
      return <u32>i;
    slot = (slot + 1) & (SLOTS - 1);
  }
  const index = unchecked(counts[column]);
  if (index >= 65535) unreachable();
  unchecked((counts[column] = index + 1));
  let key = unchecked(keysEnd[column]);
  if (key + length + SLACK > b + KEYS + KEYS_BYTES) unreachable();
  key = putVarint(key, length);
  const i = <usize>index << 2;
  store<u32>(b + KEY_AT + i, <u32>key);
  store<u32>(b + KEY_LENGTH + i, length);
  store<u32>(b + KEY_HASH + i, hash);
  copy(key, at, length);
  unchecked((keysEnd[column] = key + length));
  store<u64>(b + TABLE + (<usize>slot << 3), ((<u64>generation) << 32) | <u64>index);
  return index;
}

/** Appends one cell. */
// @ts-ignore: decorator
@inline
export function pushIndex(column: u32, index: u32): void {
  const n = unchecked(indexCounts[column]);
  if (n >= INDEXES_MAX) unreachable();
  store<u16>(base(column) + INDEXES + (<usize>n << 1), <u16>index);
  unchecked((indexCounts[column] = n + 1));
}

export function cellCount(column: u32): u32 {
  return unchecked(indexCounts[column]);
}

export function keyCount(column: u32): u32 {
  return unchecked(counts[column]);
}

export function keysAt(column: u32): usize {
  return base(column) + KEYS;
}

export function keysLength(column: u32): usize {
  return unchecked(keysEnd[column]) - keysAt(column);
}

export function indexesAt(column: u32): usize {
  return base(column) + INDEXES;
}

/** Turns the u16 indexes into u8 in place; for dictionaries of up to 256 keys, once, at the end. */
export function narrowIndexes(column: u32): void {
  const at = indexesAt(column);
  const n = <usize>unchecked(indexCounts[column]);
  let i: usize = 0;
  for (; i + 16 <= n; i += 16) {
    const low = v128.load(at + (i << 1));
    const high = v128.load(at + (i << 1) + 16);
    v128.store(at + i, v128.narrow<u16>(low, high));
  }
  for (; i < n; i++) store<u8>(at + i, load<u8>(at + (i << 1)));
}
