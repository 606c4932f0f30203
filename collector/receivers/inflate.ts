// Content encodings, inflated into the memory budget: a bomb is refused while it inflates.

import {
  constants,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  gunzipSync,
} from 'node:zlib';
import { RefusalError } from '../../service/refusal.ts';
import { BodyBuffer } from './body_buffer.ts';
import type { Reservation } from './reservation.ts';

export type Encoding = 'identity' | 'gzip' | 'deflate' | 'zstd';

/** Up to here a gzip body is inflated at once: about 1 ms, less than a trip to a thread and back. */
const SYNC_BYTES_MAX = 256 * 1024;

/** Output is made in pieces of the size that a gzip trailer claims, within these bounds. */
const CHUNK_BYTES_MIN = 16 * 1024;
const CHUNK_BYTES_MAX = 1024 * 1024;

/** RFC 9659: a zstd content encoding must do with a window of 8 MiB. Its memory is charged too. */
const ZSTD_WINDOW_LOG_MAX = 23;
const ZSTD_WINDOW_BYTES = 1 << ZSTD_WINDOW_LOG_MAX;

/** zlib's state and window of 32 KiB. */
const ZLIB_STATE_BYTES = 64 * 1024;

/**
 * The bytes behind `encoding`. They and what it takes to make them are charged to `reservation`;
 * `body` stays charged. Throws RefusalError: `malformed` (corrupt or cut), `too_large` (over
 * `bytesMax`), `busy`.
 */
export async function inflate(
  body: Uint8Array<ArrayBuffer>,
  encoding: Encoding,
  bytesMax: number,
  reservation: Reservation,
): Promise<Uint8Array<ArrayBuffer>> {
  // An empty body has no encoding: clients send one with whatever header they always send.
  if (encoding === 'identity' || body.length === 0) return body;
  if (encoding === 'gzip' && body.length <= SYNC_BYTES_MAX) {
    const hint = gzipHint(body);
    if (hint > 0 && hint <= SYNC_BYTES_MAX) {
      const quick = inflateSmall(body, hint, Math.min(bytesMax, SYNC_BYTES_MAX), reservation);
      if (quick !== undefined) return quick;
    }
  }
  return inflateStream(body, encoding, bytesMax, reservation);
}

/** Undefined when the trailer lied and the slow way must decide. */
function inflateSmall(
  body: Uint8Array,
  hint: number,
  bytesMax: number,
  reservation: Reservation,
): Uint8Array<ArrayBuffer> | undefined {
  // One byte more than the hint, so that zlib sees the end without a second piece.
  const chunkSize = Math.max(hint + 1, 64);
  reservation.take(chunkSize + ZLIB_STATE_BYTES);
  try {
    const bytes = gunzipSync(body, { chunkSize, maxOutputLength: Math.min(chunkSize, bytesMax) });
    reservation.give(ZLIB_STATE_BYTES);
    return bytes;
  } catch (error) {
    reservation.give(chunkSize + ZLIB_STATE_BYTES);
    if (errorCode(error) === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw malformed('gzip', error);
  }
}

function inflateStream(
  body: Uint8Array,
  encoding: Exclude<Encoding, 'identity'>,
  bytesMax: number,
  reservation: Reservation,
): Promise<Uint8Array<ArrayBuffer>> {
  const hint = encoding === 'gzip' ? Math.min(gzipHint(body), bytesMax) : body.length * 4;
  const chunkSize = Math.min(Math.max(hint + 1, CHUNK_BYTES_MIN), CHUNK_BYTES_MAX);
  const state = chunkSize + (encoding === 'zstd' ? ZSTD_WINDOW_BYTES : ZLIB_STATE_BYTES);
  reservation.take(state);
  const output = new BodyBuffer(reservation, hint, bytesMax, 'the inflated body');
  return new Promise((resolve, reject) => {
    const stream = openStream(body, encoding, chunkSize);
    const fail = (error: unknown): void => {
      stream.destroy();
      output.drop();
      reject(error instanceof RefusalError ? error : malformed(encoding, error));
    };
    stream.on('error', fail);
    stream.on('data', (chunk: Uint8Array) => {
      try {
        output.append(chunk);
      } catch (error) {
        fail(error);
      }
    });
    stream.on('end', () => resolve(output.bytes()));
    stream.end(body);
  }).finally(() => reservation.give(state)) as Promise<Uint8Array<ArrayBuffer>>;
}

function openStream(
  body: Uint8Array,
  encoding: Exclude<Encoding, 'identity'>,
  chunkSize: number,
): ReturnType<typeof createGunzip | typeof createZstdDecompress> {
  switch (encoding) {
    case 'gzip':
      return createGunzip({ chunkSize });
    case 'deflate':
      return hasZlibHeader(body) ? createInflate({ chunkSize }) : createInflateRaw({ chunkSize });
    case 'zstd':
      return createZstdDecompress({
        chunkSize,
        params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
      });
  }
}

/** RFC 9110 means the zlib format by "deflate"; some clients send bare deflate (RFC 1951). */
function hasZlibHeader(body: Uint8Array): boolean {
  const cmf = body[0] ?? 0;
  const flags = body[1] ?? 0;
  return (cmf & 0x0f) === 8 && ((cmf << 8) | flags) % 31 === 0;
}

/** ISIZE (RFC 1952 §2.3.1): length of the last member mod 2^32. The sender's word: a hint only. */
function gzipHint(body: Uint8Array): number {
  if (body.length < 18) return 0;
  return new DataView(body.buffer, body.byteOffset + body.length - 4, 4).getUint32(0, true);
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function malformed(encoding: string, cause: unknown): RefusalError {
  return new RefusalError(
    {
      code: 'malformed',
      message: `the body was expected to be ${encoding}, but it is corrupt or cut short`,
    },
    cause,
  );
}
