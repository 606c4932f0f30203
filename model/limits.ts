// Every limit on a span, with its reason. Limits on requests and connections that an operator may
// change stand in service/config_schema.ts; these here are part of the stored format (version 1):
// rows must stay a pure function of the bytes, so changing one means a new format version.

/** OTLP 1.11 asks every server for a cap that holds after decompression; 64 MiB is its default. */
export const REQUEST_BYTES_MAX = 64 * 1024 * 1024;

/** One span on the wire. 4 MiB is what stock gRPC clients can send at all; a larger one is rejected. */
export const SPAN_BYTES_MAX = 4 * 1024 * 1024;

/** AnyValue nesting, a scalar being 1: protobuf runtimes stop at 100 messages, which is 49 AnyValues. */
export const VALUE_DEPTH_MAX = 49;

/** SDKs send at most 128; eight times that keeps odd ones whole and bounds a row. The rest is dropped. */
export const ATTRIBUTES_PER_SPAN_MAX = 1024;
export const EVENTS_PER_SPAN_MAX = 1024;
export const LINKS_PER_SPAN_MAX = 1024;

/** So many attributes of a resource or scope are searchable; all of them are stored. */
export const RESOURCE_ATTRIBUTES_MAX = 256;

/** A string attribute is cut here, at a UTF-8 boundary: whole stack traces and SQL fit in 64 KiB. */
export const STRING_VALUE_BYTES_MAX = 64 * 1024;

/** Bytes, arrays and maps cannot be cut without breaking them: larger ones are dropped, counted. */
export const COMPLEX_VALUE_BYTES_MAX = 64 * 1024;

/** Longer keys are mistakes (values sent as keys); the attribute is dropped and counted. */
export const KEY_BYTES_MAX = 1024;

/** Names feed dictionaries and lists; longer ones are cut at a UTF-8 boundary. */
export const NAME_BYTES_MAX = 1024;
export const SERVICE_NAME_BYTES_MAX = 255;

/** An event or link larger than this is dropped and counted: it would not be shown anyway. */
export const EVENT_BYTES_MAX = 256 * 1024;

/** A resource or scope is written once a block and day; a larger one rejects its spans. */
export const RESOURCE_BYTES_MAX = 1024 * 1024;

/** A span may start this far ahead of its record's timestamp (design §4, rule 9). */
export const FUTURE_SECONDS_MAX = 24 * 3600;

/** One block: rows below ClickHouse's max_insert_block_size, dictionaries within 16 bits. */
export const BLOCK_ROWS_MAX = 60_000;

/** Shown where a resource has no usable service.name; the OpenTelemetry convention. */
export const UNKNOWN_SERVICE = 'unknown_service';

/** Rows are stored under this tenant until tenants come. */
export const DEFAULT_TENANT = 'default';
