// What a range's rows are made of, as a hash for its name: ClickHouse drops what comes twice under
// one name, so other bytes must never share it.

import { createHash } from 'node:crypto';
import type { LoggedRecord } from '../../storage/partition_log.ts';

/** 128 bits: far past any chance, short enough for a token. */
const HASH_HEX_DIGITS = 32;

/** Over everything that rows are made of, each part with its length before it. */
export function hashRecords(records: readonly LoggedRecord[]): string {
  const hash = createHash('sha256');
  const sizes = Buffer.alloc(4);
  const add = (bytes: Uint8Array): void => {
    sizes.writeUInt32LE(bytes.byteLength);
    hash.update(sizes).update(bytes);
  };
  const numbers = Buffer.alloc(16);
  for (const record of records) {
    numbers.writeDoubleLE(record.offset, 0);
    numbers.writeDoubleLE(record.timestampMs, 8);
    hash.update(numbers);
    for (const { key, value } of record.headers) {
      add(Buffer.from(key));
      add(value);
    }
    add(record.value ?? NOTHING);
  }
  return hash.digest('hex').slice(0, HASH_HEX_DIGITS);
}

const NOTHING = new Uint8Array(0);
