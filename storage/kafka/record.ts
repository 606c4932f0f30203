// A Kafka record of ours: the value is an ExportTraceServiceRequest as it came, its timestamp is
// when it was accepted, and what the bytes do not say stands in headers. A record without headers
// is what any other OTLP producer writes.

/** The version of this format: what an absent header means, and the newest that we know. */
export const RECORD_VERSION = 1;

export const VERSION_HEADER = 'spanhouse.version';
export const TENANT_HEADER = 'spanhouse.tenant';
/** W3C trace context of our own span, so that our own traces cross the log. */
export const TRACEPARENT_HEADER = 'traceparent';

/** Tenants are names that we gave. The reader holds records with other ones for dead letters. */
const TENANT = /^[A-Za-z0-9._-]{1,128}$/;

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * What a record costs at most beside its value and its tenant: header names, lengths, varints,
 * traceparent, and the batch's own header where it is alone. A batch over the broker's limit would
 * be refused as a whole, so this is generous; record.test.ts compares it with what is written.
 */
export const RECORD_OVERHEAD_BYTES = 256;

export interface RecordFacts {
  readonly tenant: string;
  readonly traceparent?: string;
}

export type Header = readonly [name: string, value: string];

/** In the order in which they are written. Throws RangeError for what the reader would not take. */
export function encodeHeaders({ tenant, traceparent }: RecordFacts): readonly Header[] {
  if (!TENANT.test(tenant)) throw new RangeError('a tenant is 1 to 128 of A-Z a-z 0-9 . _ -');
  const headers: Header[] = [
    [VERSION_HEADER, String(RECORD_VERSION)],
    [TENANT_HEADER, tenant],
  ];
  if (traceparent === undefined) return headers;
  if (!TRACEPARENT.test(traceparent)) throw new RangeError('a traceparent is as W3C has it');
  return [...headers, [TRACEPARENT_HEADER, traceparent]];
}

/** Records with more headers are none of ours; reading them all would be work for nothing. */
const HEADERS_MAX = 64;

/** Versions are small numbers; a longer text is garbage and not the future. */
const VERSION = /^[1-9][0-9]{0,5}$/;

/** No value of ours is longer; a longer one is not turned into text. */
const VALUE_BYTES_MAX = 256;

export type DecodedHeaders =
  /** `tenant` is undefined where no header names one: the topic's own tenant counts then. */
  | { readonly kind: 'known'; readonly tenant: string | undefined; readonly traceparent?: string }
  /** Written by a newer version of us: hold the partition, do not guess and do not drop. */
  | { readonly kind: 'newer'; readonly version: number }
  /** For the dead letters; `reason` holds nothing out of the record. */
  | { readonly kind: 'malformed'; readonly reason: string };

/** Headers as a client hands them over; of one name the last counts. Never throws. */
export function decodeHeaders(
  headers: Iterable<readonly [name: Uint8Array | string, value: Uint8Array | string]>,
): DecodedHeaders {
  const found = new Map<string, string>();
  let count = 0;
  for (const [name, value] of headers) {
    count++;
    if (count > HEADERS_MAX) return malformed(`more than ${HEADERS_MAX} headers`);
    const known = textOf(name);
    if (OURS.has(known)) found.set(known, textOf(value));
  }
  const version = found.get(VERSION_HEADER) ?? String(RECORD_VERSION);
  if (!VERSION.test(version)) return malformed('a version that is no number');
  if (Number(version) > RECORD_VERSION) return { kind: 'newer', version: Number(version) };
  const tenant = found.get(TENANT_HEADER);
  if (tenant !== undefined && !TENANT.test(tenant)) return malformed('a tenant that is no name');
  const traceparent = found.get(TRACEPARENT_HEADER);
  // Only ever a hint for our own traces: a broken one is left out.
  const usable = traceparent !== undefined && TRACEPARENT.test(traceparent);
  return { kind: 'known', tenant, ...(usable ? { traceparent } : {}) };
}

const OURS: ReadonlySet<string> = new Set([VERSION_HEADER, TENANT_HEADER, TRACEPARENT_HEADER]);

function malformed(reason: string): DecodedHeaders {
  return { kind: 'malformed', reason };
}

/** Too long for any of ours: some text that none of their patterns takes. */
function textOf(bytes: Uint8Array | string): string {
  if (bytes.length > VALUE_BYTES_MAX) return '';
  return typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1');
}
