// Errors as ClickHouse's HTTP interface gives them: a number, a name, a status.

import { SqlRefusal } from './sql.ts';

export class EngineError extends Error {
  /** ClickHouse's error number. */
  readonly code: number;
  /** Its name, e.g. SYNTAX_ERROR. */
  readonly type: string;
  constructor(code: number, type: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EngineError';
    this.code = code;
    this.type = type;
  }
}

/** The numbers that the front itself gives out. */
export const NAMES: Readonly<Record<number, string>> = {
  36: 'BAD_ARGUMENTS',
  62: 'SYNTAX_ERROR',
  73: 'UNKNOWN_FORMAT',
  115: 'UNKNOWN_SETTING',
  164: 'READONLY',
  202: 'TOO_MANY_SIMULTANEOUS_QUERIES',
  210: 'NETWORK_ERROR',
  216: 'QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING',
  223: 'QUERY_IS_TOO_LARGE',
  307: 'TOO_MANY_BYTES',
  394: 'QUERY_WAS_CANCELLED',
  354: 'ZLIB_INFLATE_FAILED',
  452: 'SETTING_CONSTRAINT_VIOLATION',
  456: 'UNKNOWN_QUERY_PARAMETER',
  497: 'ACCESS_DENIED',
  516: 'AUTHENTICATION_FAILED',
  1002: 'UNKNOWN_EXCEPTION',
};

export function refuse(code: keyof typeof NAMES & number, message: string): EngineError {
  return new EngineError(code, NAMES[code] ?? 'UNKNOWN_EXCEPTION', message);
}

/** `Code: 47. DB::Exception: … (UNKNOWN_IDENTIFIER)`, possibly with a second such head inside. */
const ENGINE_MESSAGE = /^(?:Code: (\d+)\. DB::Exception: )+([\s\S]*?)(?:\s*\(([A-Z0-9_]+)\))?$/;

/** Any thrown thing as an EngineError. */
export function toEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  if (error instanceof SqlRefusal) return refuse(error.code, error.message);
  const message = error instanceof Error ? error.message : String(error);
  const match = ENGINE_MESSAGE.exec(message.trim());
  const code = Number(match?.[1] ?? 1002);
  const text = (match?.[2] ?? message).replace(/ \(version [^)]*\)\. \([A-Z0-9_]+\)$/, '');
  return new EngineError(code, match?.[3] ?? NAMES[code] ?? 'UNKNOWN_EXCEPTION', text, error);
}

/** The body that ClickHouse sends, which clients parse. */
export function errorBody(error: EngineError): string {
  return `Code: ${error.code}. DB::Exception: ${error.message} (${error.type})\n`;
}

const STATUS = new Map<number, number>([
  ...[194].map((code) => [code, 401] as const),
  ...[192, 193, 497, 516].map((code) => [code, 403] as const),
  ...[46, 47, 60, 79, 81, 115, 456].map((code) => [code, 404] as const),
  ...[159].map((code) => [code, 408] as const),
  ...[223, 307].map((code) => [code, 413] as const),
  ...[48].map((code) => [code, 501] as const),
  ...[202, 210, 439].map((code) => [code, 503] as const),
]);

/** Bad requests, by ClickHouse's own table; everything else is 500. */
const BAD_REQUEST = new Set([
  6, 10, 16, 20, 26, 27, 33, 36, 38, 41, 43, 44, 53, 57, 62, 69, 70, 72, 73, 117, 130, 164, 216,
  354, 452,
]);

export function httpStatus(code: number): number {
  return STATUS.get(code) ?? (BAD_REQUEST.has(code) ? 400 : 500);
}
