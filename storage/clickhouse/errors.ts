// What went wrong at ClickHouse, as a StoreError: may the same block be sent again or not.

import { ClickHouseError } from '@clickhouse/client';
import { StoreError } from '../span_store.ts';

/**
 * Errors that say the bytes and the table do not fit: sending them again cannot help. Everything
 * else may pass (memory, disk, quorum, a table that a migration is about to make, a password that
 * an operator is about to mend), so it is retryable: calling a passing trouble final loses spans.
 */
const TERMINAL = new Map<number, string>([
  [6, 'CANNOT_PARSE_TEXT'],
  [10, 'NOT_FOUND_COLUMN_IN_BLOCK'],
  [16, 'NO_SUCH_COLUMN_IN_TABLE'],
  [20, 'NUMBER_OF_COLUMNS_DOESNT_MATCH'],
  [26, 'CANNOT_PARSE_QUOTED_STRING'],
  [27, 'CANNOT_PARSE_INPUT_ASSERTION_FAILED'],
  [32, 'ATTEMPT_TO_READ_AFTER_EOF'],
  [33, 'CANNOT_READ_ALL_DATA'],
  [41, 'CANNOT_PARSE_DATETIME'],
  [43, 'ILLEGAL_TYPE_OF_ARGUMENT'],
  [44, 'ILLEGAL_COLUMN'],
  [47, 'UNKNOWN_IDENTIFIER'],
  [49, 'LOGICAL_ERROR'],
  [50, 'UNKNOWN_TYPE'],
  [53, 'TYPE_MISMATCH'],
  [62, 'SYNTAX_ERROR'],
  [69, 'ARGUMENT_OUT_OF_BOUND'],
  [70, 'CANNOT_CONVERT_TYPE'],
  [72, 'CANNOT_PARSE_NUMBER'],
  [73, 'UNKNOWN_FORMAT'],
  [108, 'NO_DATA_TO_INSERT'],
  [115, 'UNKNOWN_SETTING'],
  [117, 'INCORRECT_DATA'],
  [128, 'TOO_LARGE_ARRAY_SIZE'],
  [131, 'TOO_LARGE_STRING_SIZE'],
  [307, 'TOO_MANY_BYTES'],
  [349, 'CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN'],
  [452, 'SETTING_CONSTRAINT_VIOLATION'],
]);

/** `doing` completes "ClickHouse failed to …". The message holds no span data, only the code. */
export function toStoreError(error: unknown, doing: string): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof ClickHouseError) {
    const code = Number(error.code);
    const retryable = !TERMINAL.has(code);
    const name = error.type ?? TERMINAL.get(code) ?? 'unknown';
    const advice = retryable ? 'try again' : 'the same data cannot be stored as it is';
    return new StoreError(
      `ClickHouse failed to ${doing}: error ${code} ${name}; ${advice}.`,
      retryable,
      error,
    );
  }
  const { code } = error as NodeJS.ErrnoException;
  const what = code ?? (error instanceof Error ? error.message : 'unknown');
  return new StoreError(`ClickHouse was not reached to ${doing}: ${what}; try again.`, true, error);
}
