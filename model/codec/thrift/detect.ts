// Which protocol bytes are in. Tracers send both to either port, so the bytes decide.

import { BinaryReader } from './binary_reader.ts';
import { CompactReader } from './compact_reader.ts';
import type { ThriftReader } from './thrift_reader.ts';

/** The first byte of a compact message; no binary one can begin so, strict or old. */
const COMPACT_MESSAGE = 0x82;

/** A compact field that follows its structure's beginning has a delta from 1 in its upper half. */
const COMPACT_FIELD_MIN = 0x11;

/** For bytes that begin with a message's envelope, as over UDP. */
export function messageReader(bytes: Uint8Array, start = 0, end = bytes.length): ThriftReader {
  return bytes[start] === COMPACT_MESSAGE
    ? new CompactReader(bytes, start, end)
    : new BinaryReader(bytes, start, end);
}

/** For a bare structure: a binary one begins with a type, which is 16 at the most. */
export function structReader(bytes: Uint8Array): ThriftReader {
  return (bytes[0] ?? 0) >= COMPACT_FIELD_MIN ? new CompactReader(bytes) : new BinaryReader(bytes);
}
