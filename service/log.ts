// Logs: one JSON object a line, or text for people on a terminal; always on stderr, so that what a
// command prints stays clean. Never log anything out of a span (P15): counts and our own names only.

import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';
import pretty from 'pino-pretty';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'auto' | 'json' | 'text';

/** `error` is written with its type, message and stack. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose lines all carry these fields, such as `{ part: 'ingester' }`. */
  child(fields: LogFields): Log;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

const STDERR = 2;

/** Lines are written before the call returns, so that none is lost when the process ends. */
export function createLog(options: LogOptions, to?: DestinationStream): Log {
  const isText =
    options.format === 'text' || (options.format === 'auto' && process.stderr.isTTY === true);
  const out = to ?? destination({ dest: STDERR, sync: true });
  return wrap(
    pino(
      {
        level: options.level,
        base: null,
        messageKey: 'message',
        errorKey: 'error',
        timestamp: stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      isText ? textStream(out) : out,
    ),
  );
}

/** For tests and for code that runs without a process of ours around it. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};

function textStream(out: DestinationStream): DestinationStream {
  const prettify = pretty.prettyFactory({
    colorize: process.stderr.isTTY === true && !process.env['NO_COLOR'],
    translateTime: 'SYS:HH:MM:ss.l',
    messageKey: 'message',
    errorLikeObjectKeys: ['error'],
    singleLine: true,
  });
  return { write: (line) => out.write(prettify(line) ?? '') };
}

function wrap(logger: Logger): Log {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}
