// Request bodies, inflated and bounded: into memory, or into a file that the engine reads.

import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { EngineError, refuse } from './engine_error.ts';

/** The body's bytes as the client meant them. Throws EngineError for an unknown encoding. */
export function openBody(request: IncomingMessage): Readable {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return request;
  if (encoding !== 'gzip') {
    throw refuse(36, 'Expected a body in Content-Encoding gzip or none.');
  }
  const gunzip = createGunzip();
  request.on('error', (error) => gunzip.destroy(error));
  request.on('close', () => {
    if (!request.complete) gunzip.destroy(new Error('the client went away'));
  });
  return request.pipe(gunzip);
}

/** A prefix of a body in memory, and a way to the rest of it. */
export class BodyReader {
  readonly #iterator: AsyncIterator<Buffer>;
  #head: Buffer = Buffer.alloc(0);
  #ended = false;

  constructor(body: Readable) {
    this.#iterator = body[Symbol.asyncIterator]();
  }

  /** At least `bytes` bytes of the body, or all of it where it is shorter. */
  async head(bytes: number): Promise<Buffer> {
    const chunks = [this.#head];
    let length = this.#head.length;
    while (length < bytes && !this.#ended) {
      const next = await this.#next();
      if (next === undefined) break;
      chunks.push(next);
      length += next.length;
    }
    this.#head = Buffer.concat(chunks);
    return this.#head;
  }

  /** The whole body as text; throws EngineError 223 above `max` bytes. */
  async text(max: number): Promise<string> {
    const bytes = await this.head(max + 1);
    if (bytes.length > max) {
      throw refuse(223, `Expected a query of at most ${max} bytes; make it shorter.`);
    }
    return bytes.toString('utf8');
  }

  /** Writes what is behind the first `skip` bytes to a new file; throws EngineError 307. */
  async toFile(path: string, skip: number, max: number): Promise<number> {
    const head = this.#head.subarray(skip);
    const rest = async function* (next: () => Promise<Buffer | undefined>) {
      if (head.length > 0) yield head;
      for (let chunk = await next(); chunk !== undefined; chunk = await next()) yield chunk;
    };
    const counter = new Counter(max);
    try {
      await pipeline(
        Readable.from(rest(() => this.#next())),
        counter,
        createWriteStream(path, { flags: 'wx', mode: 0o600 }),
      );
    } catch (error) {
      await rm(path, { force: true });
      throw toBodyError(error);
    }
    return counter.bytes;
  }

  async #next(): Promise<Buffer | undefined> {
    if (this.#ended) return undefined;
    try {
      const next = await this.#iterator.next();
      if (next.done !== true) return next.value;
      this.#ended = true;
      return undefined;
    } catch (error) {
      throw toBodyError(error);
    }
  }
}

class Counter extends Transform {
  bytes = 0;
  readonly #max: number;

  constructor(max: number) {
    super();
    this.#max = max;
  }

  override _transform(
    chunk: Buffer,
    _encoding: string,
    done: (error: Error | null, chunk?: Buffer) => void,
  ): void {
    this.bytes += chunk.length;
    if (this.bytes <= this.#max) done(null, chunk);
    else done(refuse(307, `Expected at most ${this.#max} bytes of rows; send smaller blocks.`));
  }
}

function toBodyError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code?.startsWith('Z_')) return refuse(354, 'Expected a gzip body, found other bytes.');
  if (code === 'ENOSPC') return new EngineError(243, 'NOT_ENOUGH_SPACE', 'The disk is full.');
  return new EngineError(210, 'NETWORK_ERROR', `The body ended early: ${message}.`, error);
}
