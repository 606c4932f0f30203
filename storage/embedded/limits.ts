// Limits of the front of the embedded engine, with their reasons.

const MIB = 1024 * 1024;

/** The largest insert: a block of BLOCK_ROWS_MAX spans is about 30 MiB; the rest is headroom. */
export const INSERT_BYTES_MAX = 256 * MIB;

/** ClickHouse parses at most max_query_size (256 KiB) of a query; lists of ids may be longer. */
export const QUERY_BYTES_MAX = 1 * MIB;

/** URL with all parameters: node's parser refuses longer heads anyway; clients send long values so. */
export const HEAD_BYTES_MAX = 2 * MIB;

/** An INSERT statement ahead of its data in the body; ours are under 2 KiB. */
export const INSERT_HEAD_BYTES_MAX = 64 * 1024;

/** The engine builds a result whole before its first byte leaves, so this bounds memory. */
export const RESULT_BYTES_MAX = 256 * MIB;
export const RESULT_ROWS_MAX = 5_000_000;

/** A screen has given up long before. */
export const QUERY_SECONDS_MAX = 30;

/** More than the parallel readers of one screen; more sessions only slow each other down. */
export const READ_SESSIONS = 3;
export const WRITE_SESSIONS = 2;

/** Queries that may wait for a session, and for how long: past it the caller should back off. */
export const READ_WAITERS_MAX = 64;
export const WRITE_WAITERS_MAX = 16;
export const WAIT_MS_MAX = 10_000;

/** Bodies of inserts under way at once; each may take INSERT_BYTES_MAX of disk. */
export const UPLOADS_MAX = 8;

/** Connections: our own processes hold a few dozen. */
export const CONNECTIONS_MAX = 256;

/** As ClickHouse: clients keep idle sockets for less. */
export const KEEP_ALIVE_MS = 10_000;

/** Queries under way get this long to end when told to stop; the data is safe either way. */
export const STOP_MS_MAX = 10_000;
