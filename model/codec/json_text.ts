// Values as JSON text, for writers that build large answers without objects.

/** Long texts are looked through once only, by JSON.stringify. */
const PLAIN_CHARS_MAX = 64;

/** Most values need no escape, and most are short. */
export function textJson(text: string): string {
  if (text.length > PLAIN_CHARS_MAX) return JSON.stringify(text);
  return /^[ !#-[\]-~]*$/.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** JSON has no NaN and no infinities: ProtoJSON writes them as strings. */
export function doubleJson(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0' : JSON.stringify(value);
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
