// The Content-Encoding of a request, for receivers that take more than one.

import type { IncomingMessage } from 'node:http';
import { RefusalError } from '../../service/refusal.ts';
import type { Encoding } from './inflate.ts';

const ENCODINGS: ReadonlyMap<string, Encoding> = new Map([
  ['', 'identity'],
  ['identity', 'identity'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['zstd', 'zstd'],
]);

/** One encoding or none; two on top of each other are only ever a mistake or a bomb. */
export function contentEncoding(request: IncomingMessage): Encoding {
  const header = request.headers['content-encoding'] ?? '';
  const encoding = ENCODINGS.get(header.trim().toLowerCase());
  if (encoding !== undefined) return encoding;
  throw new RefusalError({
    code: 'unsupported',
    message: 'the content encoding must be one of identity, gzip, deflate and zstd, applied once',
  });
}
