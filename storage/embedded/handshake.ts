// What parent and child say to each other: one JSON line each way, and a word to stop.

import type { Secrets } from './request.ts';

/** Parent to child, the first line of its stdin. */
export interface ChildOptions {
  readonly dataDir: string;
  readonly secrets: Secrets;
  readonly memoryBytes: number;
  readonly readSessions: number;
  readonly writeSessions: number;
}

/** Parent to child, at any time: finish queries under way and end. Signals are not heeded. */
export const STOP_LINE = 'stop\n';

/** Child to parent, the first line of its stdout. */
export type ChildReply = { readonly port: number } | { readonly error: string };

/** Options are some hundred bytes; a longer first line is not ours. */
export const LINE_BYTES_MAX = 64 * 1024;

/** The first line of a stream; undefined where it ends before one. */
export async function firstLine(stream: NodeJS.ReadableStream): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const onData = (chunk: Buffer | string) => {
      text += chunk.toString();
      const end = text.indexOf('\n');
      if (end >= 0) done(text.slice(0, end));
      else if (text.length > LINE_BYTES_MAX) done(undefined);
    };
    const onEnd = () => done(undefined);
    const done = (line: string | undefined) => {
      stream.off('data', onData);
      stream.off('end', onEnd);
      stream.off('error', onEnd);
      resolve(line);
    };
    stream.on('data', onData);
    stream.on('end', onEnd);
    stream.on('error', onEnd);
  });
}
