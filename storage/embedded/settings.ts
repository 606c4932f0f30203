// Which ClickHouse settings a request may bring in its URL.

import { type EngineError, refuse } from './engine_error.ts';
import { QUERY_SECONDS_MAX, RESULT_BYTES_MAX, RESULT_ROWS_MAX } from './limits.ts';
import type { Role } from './statement.ts';

/** Settings of every read session, forced; a request may only lower the numbers among them. */
export function readSettings(memoryBytes: number): Map<string, string> {
  return new Map([
    ['max_execution_time', String(QUERY_SECONDS_MAX)],
    // Half of the engine's memory: one greedy query must leave room for inserts and merges.
    ['max_memory_usage', String(Math.floor(memoryBytes / 2))],
    ['max_result_bytes', String(RESULT_BYTES_MAX)],
    ['max_result_rows', String(RESULT_ROWS_MAX)],
    ['result_overflow_mode', 'throw'],
    ['allow_introspection_functions', '0'],
    ['allow_ddl', '0'],
    ['readonly', '1'],
  ]);
}

/** Settings of a read that say nothing on limits: how to run, how to write the answer. */
const READ_ALLOWED = new Set([
  'do_not_merge_across_partitions_select_final',
  'final',
  'force_primary_key',
  'group_by_overflow_mode',
  'join_use_nulls',
  'max_block_size',
  'max_threads',
  'optimize_aggregation_in_order',
  'optimize_move_to_prewhere',
  'optimize_move_to_prewhere_if_final',
  'optimize_read_in_order',
  'optimize_use_projections',
  'query_plan_optimize_lazy_materialization',
  'query_plan_max_limit_for_lazy_materialization',
  'session_timezone',
  'use_query_condition_cache',
  'use_skip_indexes',
  'use_skip_indexes_if_final',
  'use_uncompressed_cache',
  'date_time_output_format',
]);

/** Speak of the HTTP exchange, which the front does itself. */
const IGNORED = new Set([
  'buffer_size',
  'cancel_http_readonly_queries_on_client_close',
  'compress',
  'enable_http_compression',
  'http_headers_progress_interval_ms',
  'http_write_exception_in_output_format',
  'send_progress_in_http_headers',
  'wait_end_of_query',
]);

/** Every setting a request may lower below the forced one, never raise. 0 would mean no limit. */
const LOWERABLE = new Set([
  'max_execution_time',
  'max_memory_usage',
  'max_result_bytes',
  'max_result_rows',
]);

/**
 * What the query service asks of a server by address, and does not know to leave out here: above what
 * is forced (or where time and memory bound it already) it is not heeded, and the forced one stands.
 */
const NOT_HEEDED = new Set(['max_memory_usage', 'max_rows_to_read']);

const NAME = /^[a-z][a-z0-9_]{0,99}$/;

/** The settings to apply for a request. Throws EngineError for one that is not allowed. */
export function checkSettings(
  role: Role,
  asked: ReadonlyMap<string, string>,
  forced: ReadonlyMap<string, string>,
): Map<string, string> {
  const settings = new Map<string, string>();
  for (const [name, value] of [...asked].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (IGNORED.has(name)) continue;
    if (!NAME.test(name)) throw refuse(115, 'Expected the name of a setting in the URL.');
    // Asking for what is forced anyway changes nothing, and needs no session of its own.
    if (role === 'query' && forced.get(name) === value) continue;
    if (role === 'query' && isNotHeeded(name, value, forced)) continue;
    if (role === 'query') checkRead(name, value, forced);
    else if (name === 'log_comment') throw notAllowed(name);
    settings.set(name, value);
  }
  return settings;
}

function isNotHeeded(name: string, value: string, forced: ReadonlyMap<string, string>): boolean {
  if (!NOT_HEEDED.has(name) || !/^\d{1,15}$/.test(value)) return false;
  return Number(value) > Number(forced.get(name) ?? 0);
}

function checkRead(name: string, value: string, forced: ReadonlyMap<string, string>): void {
  if (LOWERABLE.has(name)) {
    const most = Number(forced.get(name));
    if (/^\d{1,15}(\.\d{1,9})?$/.test(value) && Number(value) > 0 && Number(value) <= most) return;
    throw refuse(452, `Setting ${name} must be above 0 and at most ${most}.`);
  }
  if (!READ_ALLOWED.has(name) && !name.startsWith('output_format_')) throw notAllowed(name);
}

function notAllowed(name: string): EngineError {
  return refuse(452, `Setting ${name} is not one that a request may bring.`);
}
