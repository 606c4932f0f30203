// Files of one folder over HTTP: someone's own build of a page. Nothing outside the folder can be
// reached, by whatever path or symbolic link, and nothing that is hidden.

import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { send } from '@fastify/send';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { codingOf, compress } from './compress.ts';

/** Text of a page; a build's largest is some 20 KB. */
const INDEX_BYTES_MAX = 1024 * 1024;

/** A build puts a hash of the content into these names, so they never change. */
const HASHED_NAME = /[.-](?=\w*\d)\w{8,}\.[a-z0-9.]+$/;
const HASHED_MAX_AGE_MS = 31_536_000_000;
const OTHER_MAX_AGE_MS = 600_000;

/** What shrinks; images and fonts do not. */
const COMPRESSIBLE = /^(text\/|application\/(javascript|json|manifest)|image\/svg)/;

/**
 * What the stock pages need: their own scripts, the inline ones that stand in the page, styles that
 * libraries write at run time, workers from blobs; and `eval`, by which their graph layouts run.
 */
function policyOf(html: string): string {
  const scripts = [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/gi)];
  const hashes = scripts.map(
    ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );
  return [
    "default-src 'self'",
    `script-src 'self' 'unsafe-eval' ${hashes.join(' ')}`.trimEnd(),
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "frame-ancestors 'self'",
  ].join('; ');
}

/** Throws Error, in words for the operator, where the folder has no page. */
export function openFolder(folder: string, setting: string): StaticFolder {
  let root: string;
  try {
    root = realpathSync(folder);
    realpathSync(join(root, INDEX));
  } catch (error) {
    throw new Error(
      `${setting}: expected a folder with a file ${INDEX} in it, ${folder} has none: ` +
        'give the folder that the build of the page was written to',
      { cause: error },
    );
  }
  return new StaticFolder(root);
}

const INDEX = 'index.html';

export class StaticFolder {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Sends the file; `path` is below the folder and as it came. undefined: no such file. */
  async sendFile(
    request: FastifyRequest,
    reply: FastifyReply,
    path: string,
  ): Promise<FastifyReply | undefined> {
    const found = await this.#find(path);
    if (found === undefined || found === `/${INDEX}`) return undefined;
    const sent = await send(request.raw, encodeURI(found), {
      root: this.#root,
      index: false,
      dotfiles: 'deny',
      maxAge: HASHED_NAME.test(found) ? HASHED_MAX_AGE_MS : OTHER_MAX_AGE_MS,
    });
    if (sent.type !== 'file') return undefined;
    const coding = codingOf(request.headers['accept-encoding']);
    const type = sent.headers['Content-Type'] ?? sent.headers['content-type'] ?? '';
    reply.code(sent.statusCode).headers(sent.headers);
    if (sent.statusCode !== 200 || !COMPRESSIBLE.test(type)) return reply.send(sent.stream);
    reply.header('vary', 'accept-encoding');
    if (coding === undefined) return reply.send(sent.stream);
    // Its length and its ranges would be those of the bytes before.
    reply.removeHeader('content-length').removeHeader('accept-ranges');
    return reply.header('content-encoding', coding).send(compress(sent.stream, coding));
  }

  /** Sends the page, edited. Read each time: a new build takes the place of the old one at once. */
  async sendIndex(reply: FastifyReply, edit: (html: string) => string): Promise<FastifyReply> {
    const path = join(this.#root, INDEX);
    const { size } = await stat(path);
    if (size > INDEX_BYTES_MAX) {
      throw new Error(`${INDEX} has ${size} bytes, at most ${INDEX_BYTES_MAX} were expected`);
    }
    const html = edit(await readFile(path, 'utf8'));
    return reply
      .header('content-security-policy', policyOf(html))
      .header('cache-control', 'no-cache')
      .type('text/html; charset=utf-8')
      .send(html);
  }

  /** The path of a file below the root, from `/`; undefined where it is none that may be shown. */
  async #find(path: string): Promise<string | undefined> {
    let decoded: string;
    try {
      decoded = decodeURIComponent(path);
    } catch {
      return undefined;
    }
    const parts = decoded.split('/').filter((part) => part !== '');
    // Also `..`, and what Windows or C would read otherwise.
    if (parts.some((part) => part.startsWith('.') || /[\\\0:]/.test(part))) return undefined;
    try {
      const real = await realpath(join(this.#root, ...parts));
      if (!real.startsWith(this.#root + sep) || !(await stat(real)).isFile()) return undefined;
      const below = real.slice(this.#root.length);
      // A link may lead to what is hidden.
      return below.split(sep).some((part) => part.startsWith('.')) ? undefined : below;
    } catch {
      return undefined;
    }
  }
}
