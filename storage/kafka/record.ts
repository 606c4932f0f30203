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
