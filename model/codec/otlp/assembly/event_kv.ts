// Hashes of event and link attributes, so that a search finds them without reading events.

import { LINK_KV, LINK_KV_BYTES } from './layout';
import { P, readLength, readTag, seek, skipField } from './reader';
import { keyAt, keyLength, parseKeyValue, putText, valueAt, valueLength, valueType, T_STRING } from './values';
import { putEventKv } from './sinks';
import { xxh64 } from './hash';

/** "event" in memory: the key under which an event's name is found. */
const EVENT = memory.data<u8>([101, 118, 101, 110, 116, 0, 0, 0]);
/** Room for a number's text. */
const TEXT = memory.data(64);

export let linkHashesEnd: usize = LINK_KV;

export function resetLinkHashes(): void {
  linkHashesEnd = LINK_KV;
}

/** kv_hash of the key and value that were just parsed; 0 with `hashed` false if it has no text. */
let hashed: bool = false;
function hashParsed(): u64 {
  hashed = true;
  const seed = xxh64(keyAt, keyLength, 0);
  if (valueType == T_STRING) return xxh64(valueAt, valueLength, seed);
  const length = putText(TEXT, false);
  if (length < 0) {
    hashed = false;
    return 0;
  }
  return xxh64(TEXT, length, seed);
}

/** The Event [P, end). The name comes first, wherever it stands on the wire. */
export function hashEvent(end: usize): void {
  const at = P;
  let nameAt: usize = 0;
  let nameLength: u32 = 0;
  while (P < end) {
    const tag = readTag(end);
    if (tag == 18) {
      nameLength = readLength(end);
      nameAt = P;
      seek(P + nameLength);
    } else skipField(tag, end);
  }
  if (nameLength > 0) putEventKv(xxh64(nameAt, nameLength, xxh64(EVENT, 5, 0)));
  seek(at);
  while (P < end) {
    const tag = readTag(end);
    if (tag == 26) {
      const length = readLength(end);
      parseKeyValue(P + length);
      const hash = hashParsed();
      if (hashed) putEventKv(hash);
    } else skipField(tag, end);
  }
}

/** The Link [P, end). Its hashes wait until the row's events are through. */
export function hashLink(end: usize): void {
  while (P < end) {
    const tag = readTag(end);
    if (tag == 34) {
      const length = readLength(end);
      parseKeyValue(P + length);
      const hash = hashParsed();
      if (!hashed) continue;
      if (linkHashesEnd + 8 > LINK_KV + LINK_KV_BYTES) unreachable();
      store<u64>(linkHashesEnd, hash);
      linkHashesEnd += 8;
    } else skipField(tag, end);
  }
}
