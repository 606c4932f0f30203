// Where things stand in linear memory, and the limits. Regions are generous: pages that are never
// touched cost address space only. Each region's bound follows from BLOCK_BYTES (what one block may
// take from the wire) and is asserted where it is written.

const MB: usize = 1 << 20;

/** Requests of one group, one after the other; wide loads may read SLACK bytes past the last. */
export const INPUT: usize = 1 * MB;
export const INPUT_BYTES: usize = 96 * MB;
export const SLACK: usize = 64;

/** One entry a span: see index.ts. */
export const SPANS: usize = 100 * MB;
export const SPANS_MAX: u32 = 2 * 1024 * 1024;
export const SPAN_ENTRY: usize = 64;

/** Two arrays of u32: the sort order, and the merge sort's other half. */
export const ORDER: usize = 228 * MB;
export const ORDER_TEMP: usize = 236 * MB;

/** One entry a pair of resource and scope: see index.ts. */
export const GROUPS: usize = 244 * MB;
export const GROUPS_MAX: u32 = 2 * 1024 * 1024;
export const GROUP_ENTRY: usize = 64;

/** Fixed-width columns, 1 MiB each, FIXED_ROWS rows. */
export const FIXED: usize = 372 * MB;
export const FIXED_ROWS: u32 = 65536;
export const C_TRACE_LO: usize = FIXED;
export const C_TRACE_HI: usize = FIXED + 1 * MB;
export const C_SPAN_ID: usize = FIXED + 2 * MB;
export const C_PARENT_ID: usize = FIXED + 3 * MB;
export const C_H: usize = FIXED + 4 * MB;
export const C_TS: usize = FIXED + 5 * MB;
export const C_DURATION: usize = FIXED + 6 * MB;
export const C_KIND: usize = FIXED + 7 * MB;
export const C_STATUS: usize = FIXED + 8 * MB;
export const C_FLAGS: usize = FIXED + 9 * MB;
export const C_RESOURCE_ID: usize = FIXED + 10 * MB;
export const C_SCOPE_ID: usize = FIXED + 11 * MB;
/** Array and Map columns: cumulated element counts (u64) by row. */
export const O_ATTR_S: usize = FIXED + 12 * MB;
export const O_ATTR_I: usize = FIXED + 13 * MB;
export const O_ATTR_D: usize = FIXED + 14 * MB;
export const O_ATTR_B: usize = FIXED + 15 * MB;
export const O_ATTR_X: usize = FIXED + 16 * MB;
export const O_EVENT_KV: usize = FIXED + 17 * MB;
export const O_RESOURCE_ATTRS: usize = FIXED + 18 * MB;
export const O_SCOPE_ATTRS: usize = FIXED + 19 * MB;
/** Column headers and small pieces of the Native block, and the list of its segments. */
export const HEADER: usize = FIXED + 20 * MB;
export const SEGMENTS: usize = FIXED + 21 * MB;
/** Resource and scope ids that this block holds already: {u64 id, u32 generation, u32 unused}. */
export const SEEN_RESOURCE: usize = FIXED + 22 * MB;
export const SEEN_SCOPE: usize = FIXED + 24 * MB;
export const SEEN_SLOTS: u32 = 131072;

/** What one block may take from the wire before it is closed; a last span may go over by its size. */
export const BLOCK_BYTES: usize = 40 * MB;
/** Variable-width columns, VAR_BYTES each: BLOCK_BYTES + a largest span + a length byte a row fits. */
export const VAR: usize = 400 * MB;
export const VAR_BYTES: usize = 50 * MB;
export const V_STATUS_MESSAGE: usize = VAR;
export const V_ATTR_S: usize = VAR + 1 * VAR_BYTES;
export const V_ATTR_I: usize = VAR + 2 * VAR_BYTES;
export const V_ATTR_D: usize = VAR + 3 * VAR_BYTES;
export const V_ATTR_B: usize = VAR + 4 * VAR_BYTES;
export const V_ATTR_X: usize = VAR + 5 * VAR_BYTES;
export const V_EVENTS: usize = VAR + 6 * VAR_BYTES;
export const V_LINKS: usize = VAR + 7 * VAR_BYTES;
export const V_REST: usize = VAR + 8 * VAR_BYTES;
export const V_EVENT_KV: usize = VAR + 9 * VAR_BYTES;
export const V_RESOURCE: usize = VAR + 10 * VAR_BYTES;
export const V_RESOURCE_URL: usize = VAR + 11 * VAR_BYTES;
export const V_RESOURCE_ATTRS: usize = VAR + 12 * VAR_BYTES;
export const V_SCOPE: usize = VAR + 13 * VAR_BYTES;
export const V_SCOPE_URL: usize = VAR + 14 * VAR_BYTES;
export const V_SCOPE_ATTRS: usize = VAR + 15 * VAR_BYTES;
/** Hashes of a span's links, until its events are through: 8 bytes for 6 on the wire at the least. */
export const LINK_KV: usize = VAR + 16 * VAR_BYTES;
export const LINK_KV_BYTES: usize = 8 * MB;
/** What one span can add to a column of hashes or ints; a block is closed while that much is left. */
export const ROW_WORD_BYTES: usize = 8 * MB;
/** Tenant names of the group: {u32 length, bytes} at TENANT_STRIDE. */
export const TENANTS: usize = LINK_KV + LINK_KV_BYTES;
export const TENANTS_MAX: u32 = 1024;
export const TENANT_STRIDE: usize = 1024;

/** LowCardinality columns: see dictionary.ts. */
export const DICTIONARIES: usize = TENANTS + 2 * MB;
export const DICTIONARY_BYTES: usize = 20 * MB;
export const DICTIONARY_COUNT: u32 = 10;
export const END: usize = DICTIONARIES + <usize>DICTIONARY_COUNT * DICTIONARY_BYTES;

// The same figures as model/limits.ts; a test compares them.
export const SPAN_BYTES_MAX: u32 = 4 * 1024 * 1024;
export const VALUE_DEPTH_MAX: u32 = 49;
export const ATTRIBUTES_PER_SPAN_MAX: u32 = 1024;
export const EVENTS_PER_SPAN_MAX: u32 = 1024;
export const LINKS_PER_SPAN_MAX: u32 = 1024;
export const RESOURCE_ATTRIBUTES_MAX: u32 = 256;
export const STRING_VALUE_BYTES_MAX: u32 = 64 * 1024;
export const COMPLEX_VALUE_BYTES_MAX: u32 = 64 * 1024;
export const KEY_BYTES_MAX: u32 = 1024;
export const NAME_BYTES_MAX: u32 = 1024;
export const SERVICE_NAME_BYTES_MAX: u32 = 255;
export const EVENT_BYTES_MAX: u32 = 256 * 1024;
export const RESOURCE_BYTES_MAX: u32 = 1024 * 1024;
export const FUTURE_SECONDS_MAX: u64 = 24 * 3600;
export const BLOCK_ROWS_MAX: u32 = 60000;
