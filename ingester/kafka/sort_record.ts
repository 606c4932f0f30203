// What a record of the log is, by its outside: spans of a tenant, a dead letter, or of a version that
// this code does not know. A pure function, so that a replay sorts as the first try did.

import { FOREIGN_BYTES_MAX, isEmptyTaken } from '../../model/codec/encoding.ts';
import { DEFAULT_TENANT, REQUEST_BYTES_MAX } from '../../model/limits.ts';
import type { DeadLetterReason } from '../../storage/dead_letter.ts';
import { decodeHeaders } from '../../storage/kafka/record.ts';
import type { LoggedRecord } from '../../storage/partition_log.ts';
import type { RowSettings } from './intent.ts';

export type SortedRecord =
  | { readonly kind: 'spans'; readonly tenant: string }
  | { readonly kind: 'dead'; readonly reason: DeadLetterReason }
  | { readonly kind: 'newer'; readonly version: number };

/** Rows keep time as 64-bit nanoseconds, which end in 2262. */
const TIMESTAMP_MS_MAX = 9_223_372_036_854;

/** Where the settings have a tenant, the topic is not ours: headers are not believed there. */
export function sortRecord(
  record: LoggedRecord,
  settings: Pick<RowSettings, 'tenant' | 'encoding'>,
): SortedRecord {
  const { encoding = 'otlp_proto' } = settings;
  let { tenant } = settings;
  if (tenant === undefined) {
    const headers = decodeHeaders(record.headers.map(({ key, value }) => [key, value] as const));
    if (headers.kind === 'newer') return headers;
    if (headers.kind === 'malformed') return dead('bad_headers');
    tenant = headers.tenant ?? DEFAULT_TENANT;
  }
  const bytes = record.value?.byteLength ?? 0;
  const isTaken = record.value !== undefined && isEmptyTaken(encoding);
  if (bytes === 0 && !isTaken) return dead('empty');
  const bytesMax = encoding === 'otlp_proto' ? REQUEST_BYTES_MAX : FOREIGN_BYTES_MAX;
  if (bytes > bytesMax) return dead('too_large');
  const { timestampMs } = record;
  if (timestampMs < 0 || timestampMs > TIMESTAMP_MS_MAX) return dead('bad_time');
  return { kind: 'spans', tenant };
}

function dead(reason: DeadLetterReason): SortedRecord {
  return { kind: 'dead', reason };
}
