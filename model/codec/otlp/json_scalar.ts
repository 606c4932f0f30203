// Numbers and bytes as OTLP/JSON writes them, read without losing a digit.

import { hexDigit } from './json_scan.ts';

/** Past this exponent no integer of 64 bits is left, and 10^exponent would cost to compute. */
const EXPONENT_MAX = 40;

/**
 * The whole number that `text` denotes, exactly: `12`, `-7`, and, as ProtoJSON allows, `1e3` and
 * `2.0`. Undefined when it is none, or has more than EXPONENT_MAX digits.
 */
export function wholeNumber(text: string): bigint | undefined {
  const match = /^(-?)(\d{1,40})(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match;
  const exponent = Number(exponentText) - fraction.length;
  if (Math.abs(exponent) > EXPONENT_MAX) return undefined;
  const digits = BigInt(whole + fraction);
  const scale = 10n ** BigInt(Math.abs(exponent));
  if (exponent < 0 && digits % scale !== 0n) return undefined;
  const value = exponent < 0 ? digits / scale : digits * scale;
  return sign === '' ? value : -value;
}

/** A finite double, or the three words of ProtoJSON; undefined for anything else, 1e400 too. */
export function doubleNumber(text: string): number | undefined {
  if (text === 'NaN') return Number.NaN;
  if (text === 'Infinity') return Number.POSITIVE_INFINITY;
  if (text === '-Infinity') return Number.NEGATIVE_INFINITY;
  if (!/^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Two digits a byte, in either case; undefined for an odd count or another character. */
export function hexBytes(text: Uint8Array, from: number, to: number): Uint8Array | undefined {
  if ((to - from) % 2 !== 0) return undefined;
  const bytes = new Uint8Array((to - from) / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = hexDigit(text[from + 2 * i] as number);
    const low = hexDigit(text[from + 2 * i + 1] as number);
    if (high < 0 || low < 0) return undefined;
    bytes[i] = high * 16 + low;
  }
  return bytes;
}

/** RFC 4648 base64 in either alphabet, padded or not, as ProtoJSON allows; undefined for others. */
export function base64Bytes(text: Uint8Array, from: number, to: number): Uint8Array | undefined {
  let end = to;
  while (end > from && to - end < 2 && text[end - 1] === 0x3d) end -= 1;
  const count = end - from;
  if (count % 4 === 1 || (end < to && (to - from) % 4 !== 0)) return undefined;
  const bytes = new Uint8Array(Math.floor((count * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = from; i < end; i++) {
    const digit = base64Digit(text[i] as number);
    if (digit < 0) return undefined;
    bits = ((bits << 6) | digit) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at++] = (bits >> held) & 0xff;
    }
  }
  return bytes;
}

function base64Digit(byte: number): number {
  if (byte >= 0x41 && byte <= 0x5a) return byte - 0x41;
  if (byte >= 0x61 && byte <= 0x7a) return byte - 0x61 + 26;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30 + 52;
  if (byte === 0x2b || byte === 0x2d) return 62;
  if (byte === 0x2f || byte === 0x5f) return 63;
  return -1;
}
