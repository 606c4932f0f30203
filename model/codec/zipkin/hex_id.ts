// Ids in hex as Zipkin takes them: lower case, without a prefix, short ones padded, never zero.

import { ZipkinProblem } from './decoded.ts';

/**
 * Reads `text[from, to)` into the end of `id`, which is zero before. `name` is `traceId` or `id`.
 * Throws ZipkinProblem in Zipkin's words.
 */
export function readHexId(
  text: Uint8Array,
  from: number,
  to: number,
  id: Uint8Array,
  name: string,
): void {
  const length = to - from;
  if (length === 0) throw new ZipkinProblem(`${name} is empty`);
  if (length > id.length * 2) throw new ZipkinProblem(`${name}.length > ${id.length * 2}`);
  let zero = true;
  let at = id.length * 2 - length;
  for (let i = from; i < to; i++, at++) {
    const digit = lowerHexDigit(text[i] as number);
    if (digit < 0) throw notHex(text, from, to, name);
    if (digit !== 0) zero = false;
    id[at >> 1] = ((id[at >> 1] as number) << 4) | digit;
  }
  if (zero) throw new ZipkinProblem(`${name} is all zeros`);
}

/** 0 to 15, or -1. */
function lowerHexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1;
}

/** The id is repeated, as senders know it from Zipkin, unless it holds anything but letters. */
function notHex(text: Uint8Array, from: number, to: number, name: string): ZipkinProblem {
  let shown = '';
  for (let i = from; i < to; i++) {
    const character = String.fromCharCode(text[i] as number);
    if (!/[0-9A-Za-z-]/.test(character)) {
      return new ZipkinProblem(`${name} should be lower-hex encoded with no prefix`);
    }
    shown += character;
  }
  return new ZipkinProblem(`${shown} should be lower-hex encoded with no prefix`);
}
