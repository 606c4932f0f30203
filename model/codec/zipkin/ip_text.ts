// IP addresses as Zipkin has them: text in JSON, bytes in protobuf and Thrift. What is no address is
// ignored there, so here too.

/** `text` if it is an IPv4 address in dotted decimals. */
export function isIpv4(bytes: Uint8Array, from: number, to: number): boolean {
  let octet = -1;
  let dots = 0;
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number;
    if (byte === 0x2e) {
      if (octet < 0) return false;
      octet = -1;
      dots += 1;
      continue;
    }
    const digit = byte - 0x30;
    if (digit < 0 || digit > 9) return false;
    octet = octet < 0 ? digit : octet * 10 + digit;
    if (octet > 255) return false;
  }
  return dots === 3 && octet >= 0 && to - from <= 15;
}

/** Writes four bytes as dotted decimals to `text[at…]`; returns where they end. */
export function putIpv4(text: Uint8Array, at: number, ip: Uint8Array, from: number): number {
  let to = at;
  for (let i = 0; i < 4; i++) {
    if (i > 0) text[to++] = 0x2e;
    const octet = ip[from + i] as number;
    if (octet >= 100) text[to++] = 0x30 + Math.floor(octet / 100);
    if (octet >= 10) text[to++] = 0x30 + (Math.floor(octet / 10) % 10);
    text[to++] = 0x30 + (octet % 10);
  }
  return to;
}

/** The longest text of an IPv6 address, with an IPv4 tail. */
export const IPV6_CHARS_MAX = 45;

/** The 16 bytes of an IPv6 address; undefined when the text is none. Zones (`%eth0`) are none. */
export function parseIpv6(text: string): Uint8Array | undefined {
  if (text.length > IPV6_CHARS_MAX || !/^[0-9a-fA-F:.]+$/.test(text)) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groups(halves[0] as string);
  const tail = groups(halves[1] ?? '');
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

function groups(text: string): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const last = parts[parts.length - 1] as string;
  const found: number[] = [];
  for (const part of last.includes('.') ? parts.slice(0, -1) : parts) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
    found.push(Number.parseInt(part, 16));
  }
  if (last.includes('.')) {
    const bytes = Buffer.from(last, 'latin1');
    if (!isIpv4(bytes, 0, bytes.length)) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = last.split('.').map(Number);
    found.push(a * 256 + b, c * 256 + d);
  }
  return found.length > 8 ? undefined : found;
}

/** An address of 16 bytes: the IPv4 address that it stands for, or its canonical text (RFC 5952). */
export function ipv6Text(ip: Uint8Array): { readonly ipv4: string } | { readonly ipv6: string } {
  const lead = ip.subarray(0, 10).every((byte) => byte === 0);
  const mapped = ip[10] === 0xff && ip[11] === 0xff;
  const compatible = ip[10] === 0 && ip[11] === 0;
  const loopbackOrNone = compatible && ip[12] === 0 && ip[13] === 0 && ip[14] === 0;
  if (lead && (mapped || (compatible && !(loopbackOrNone && (ip[15] ?? 0) <= 1)))) {
    return { ipv4: `${ip[12]}.${ip[13]}.${ip[14]}.${ip[15]}` };
  }
  return { ipv6: canonical(ip) };
}

function canonical(ip: Uint8Array): string {
  const values = Array.from({ length: 8 }, (_, i) => (ip[2 * i]! << 8) | ip[2 * i + 1]!);
  let [best, bestLength] = [-1, 1];
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && values[at + length] === 0) length += 1;
    if (length > bestLength) [best, bestLength] = [at, length];
  }
  const hex = (part: readonly number[]): string =>
    part.map((group) => group.toString(16)).join(':');
  if (best < 0) return hex(values);
  return `${hex(values.slice(0, best))}::${hex(values.slice(best + bestLength))}`;
}
