// AnyValue and KeyValue as the rows need them: which type, where its bytes are.

import { P, copy, readFixed64, readLength, readTag, readVarint, seek, skipField } from './reader';

/** `env.formatDouble(at, value)` writes JavaScript's String(value) at `at`, returns its length. */
// @ts-ignore: decorator
@external('env', 'formatDouble')
declare function formatDouble(at: usize, value: f64): u32;

export const T_NONE: u32 = 0;
export const T_STRING: u32 = 1;
export const T_BOOL: u32 = 2;
export const T_INT: u32 = 3;
export const T_DOUBLE: u32 = 4;
export const T_COMPLEX: u32 = 5;

/** What parseValue found: type; address and length of a string; bits of a number. */
export let valueType: u32 = T_NONE;
export let valueAt: usize = 0;
export let valueLength: u32 = 0;
export let valueBits: u64 = 0;

/** What parseKeyValue found besides: the key, and the value message ([0, 0) where missing). */
export let keyAt: usize = 0;
export let keyLength: u32 = 0;
export let messageAt: usize = 0;
export let messageLength: u32 = 0;

/** Reads the KeyValue [P, end). The last key and the last value count. */
// @ts-ignore: decorator
@inline
export function parseKeyValue(end: usize): void {
  const start = P;
  const length = <u32>(end - start);
  // The usual shape: key under 128 bytes, then one value that fills the rest.
  if (length >= 4 && load<u8>(start) == 10) {
    const k = <u32>load<u8>(start + 1);
    if (k + 4 <= length && k < 128) {
      const v = start + 2 + k;
      const n = <u32>load<u8>(v + 1);
      if (load<u8>(v) == 18 && n < 128 && v + 2 + n == end) {
        keyAt = start + 2;
        keyLength = k;
        messageAt = v + 2;
        messageLength = n;
        // A string that fills the value.
        if (n >= 2 && load<u8>(v + 2) == 10 && <u32>load<u8>(v + 3) == n - 2) {
          valueType = T_STRING;
          valueAt = v + 4;
          valueLength = n - 2;
          seek(end);
          return;
        }
        seek(v + 2);
        parseValue(end);
        return;
      }
    }
  }
  parseKeyValueSlow(end);
}

function parseKeyValueSlow(end: usize): void {
  keyAt = P;
  keyLength = 0;
  messageAt = P;
  messageLength = 0;
  while (P < end) {
    const tag = readTag(end);
    if (tag == 10) {
      keyLength = readLength(end);
      keyAt = P;
      seek(P + keyLength);
    } else if (tag == 18) {
      messageLength = readLength(end);
      messageAt = P;
      seek(P + messageLength);
    } else skipField(tag, end);
  }
  seek(messageAt);
  parseValue(messageAt + messageLength);
  seek(end);
}

/** Reads the AnyValue [P, end). The last field of the oneof counts. */
function parseValue(end: usize): void {
  valueType = T_NONE;
  while (P < end) {
    const tag = readTag(end);
    if (tag == 10) {
      valueType = T_STRING;
      valueLength = readLength(end);
      valueAt = P;
      seek(P + valueLength);
    } else if (tag == 24) {
      valueType = T_INT;
      valueBits = readVarint(end);
    } else if (tag == 16) {
      valueType = T_BOOL;
      valueBits = readVarint(end) != 0 ? 1 : 0;
    } else if (tag == 33) {
      valueType = T_DOUBLE;
      valueBits = readFixed64(end);
    } else if (tag == 42 || tag == 50 || tag == 58) {
      valueType = T_COMPLEX;
      const length = readLength(end);
      seek(P + length);
    } else skipField(tag, end);
  }
}

/** Decimal text of a signed 64-bit number at `at`; returns its length (1 to 20). */
export function putDecimal(at: usize, bits: u64): u32 {
  let sign: u32 = 0;
  if (<i64>bits < 0) {
    store<u8>(at, 45);
    sign = 1;
    bits = 0 - bits;
  }
  let digits: u32 = 1;
  for (let rest = bits; rest >= 10; rest /= 10) digits++;
  let to = at + sign + digits;
  do {
    const quotient = bits / 10;
    store<u8>(--to, <u8>(48 + (bits - quotient * 10)));
    bits = quotient;
  } while (bits != 0);
  return sign + digits;
}

/**
 * Writes the parsed value as text at `at`: string, int, bool, and double if `doubles`.
 * Returns its length, or -1 for a value that has no text. Strings are cut nowhere here.
 */
export function putText(at: usize, doubles: bool): i32 {
  if (valueType == T_STRING) {
    copy(at, valueAt, valueLength);
    return <i32>valueLength;
  }
  if (valueType == T_INT) return <i32>putDecimal(at, valueBits);
  if (valueType == T_BOOL) {
    if (valueBits != 0) {
      store<u32>(at, 0x65757274); // "true"
      return 4;
    }
    store<u32>(at, 0x736c6166); // "fals"
    store<u8>(at + 4, 101); // "e"
    return 5;
  }
  if (doubles && valueType == T_DOUBLE) {
    return <i32>formatDouble(at, reinterpret<f64>(valueBits));
  }
  return -1;
}
