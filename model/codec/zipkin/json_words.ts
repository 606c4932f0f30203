// The words of Zipkin's v2 JSON, found among bytes without making strings of them, and gson's words
// for what was found instead.

/** By OTLP's SpanKind. */
export const KIND_NAMES = ['', '', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];

/** Gson's words. */
export function typeName(byte: number): string {
  if (byte === 0x22) return 'STRING';
  if (byte === 0x7b) return 'BEGIN_OBJECT';
  if (byte === 0x5b) return 'BEGIN_ARRAY';
  if (byte === 0x74 || byte === 0x66) return 'BOOLEAN';
  if (isNullByte(byte)) return 'NULL';
  if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return 'NUMBER';
  return byte === -1 ? 'END_DOCUMENT' : 'something else';
}

/** Gson takes NULL in either case, at least for its messages. */
export function isNullByte(byte: number): boolean {
  return byte === 0x6e || byte === 0x4e;
}

export function isZeros(text: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (text[i] !== 0x30) return false;
  return true;
}

const KEYS: readonly string[][] = [];
for (const key of [
  ...['traceId', 'id', 'parentId', 'kind', 'name', 'timestamp', 'duration', 'localEndpoint'],
  ...['remoteEndpoint', 'annotations', 'tags', 'debug', 'shared'],
  ...['serviceName', 'ipv4', 'ipv6', 'port', 'value'],
]) {
  (KEYS as string[][])[key.length] = [...(KEYS[key.length] ?? []), key];
}

/** The key if it is one that we read, else ''. */
export function keyOf(text: Uint8Array, from: number, to: number): string {
  const candidates = KEYS[to - from];
  if (candidates === undefined) return '';
  next: for (const key of candidates) {
    for (let i = 0; i < key.length; i++) {
      if (text[from + i] !== key.charCodeAt(i)) continue next;
    }
    return key;
  }
  return '';
}
