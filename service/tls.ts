// TLS for all listeners of a process: one certificate, read again when its files change, so that a
// renewal needs no restart and breaks no connection.

import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls';

/** Paths of PEM files. */
export interface TlsFiles {
  /** The certificate, and those between it and its authority. */
  readonly cert: string;
  readonly key: string;
  /** Authorities of clients; '' asks clients for no certificate. */
  readonly clientCa: string;
}

/** What stands in the way of TLS; one sentence, whole and on its own. */
export class TlsError extends Error {}

/** Kubernetes swaps the files of a Secret by a link, which no watch of a file sees: they are read. */
const RELOAD_MS = 5000;

/** A client that says nothing during the handshake is let go after this. */
const HANDSHAKE_MS = 10_000;

interface FollowingServer {
  setSecureContext(options: SecureContextOptions): void;
}

export class Tls {
  readonly #files: TlsFiles;
  readonly #note: (message: string) => void;
  readonly #servers = new Set<FollowingServer>();
  #context: SecureContextOptions = {};
  #expiresUnixMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #lastProblem = '';

  private constructor(files: TlsFiles, note: (message: string) => void) {
    this.#files = files;
    this.#note = note;
  }

  /** Reads the files; throws TlsError. `note` is told about later changes, and what is wrong. */
  static async open(files: TlsFiles, note: (message: string) => void): Promise<Tls> {
    const tls = new Tls(files, note);
    await tls.#load();
    tls.#timer = setInterval(() => void tls.reload(), RELOAD_MS);
    tls.#timer.unref();
    return tls;
  }

  /** When the certificate in force ends, in milliseconds since 1970. */
  get expiresUnixMs(): number {
    return this.#expiresUnixMs;
  }

  /** For a server that speaks these protocols; `follow` it, too. */
  options(alpn: readonly ('h2' | 'http/1.1')[]): TlsOptions {
    return {
      ...this.#context,
      ALPNProtocols: [...alpn],
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE_MS,
      ...(this.#files.clientCa === '' ? {} : { requestCert: true, rejectUnauthorized: true }),
    };
  }

  /** New connections of the server have the certificate that is in force then. */
  follow(server: FollowingServer): void {
    this.#servers.add(server);
  }

  /** Reads again; what is wrong is told, once, and changes nothing. Never throws. */
  async reload(): Promise<void> {
    try {
      if (await this.#load()) {
        for (const server of this.#servers) server.setSecureContext(this.#context);
        this.#note(`the certificate was read again from ${this.#files.cert}`);
      }
      this.#lastProblem = '';
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem === this.#lastProblem) return;
      this.#lastProblem = problem;
      this.#note(`${problem}; the certificate that was in force stays`);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** True where something is new. */
  async #load(): Promise<boolean> {
    const { cert, key, clientCa } = this.#files;
    const context: SecureContextOptions = {
      cert: await read('tls.cert', cert),
      key: await read('tls.key', key),
      ...(clientCa === '' ? {} : { ca: await read('tls.client_ca', clientCa) }),
    };
    const { cert: certText, key: keyText, ca: caText } = this.#context;
    if (context.cert === certText && context.key === keyText && context.ca === caText) return false;
    this.#expiresUnixMs = check(context, this.#files);
    this.#context = context;
    return true;
  }
}

async function read(setting: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TlsError(`${setting}: expected a PEM file at ${path}, it cannot be read: ${why}`);
  }
}

/** When it ends, in milliseconds since 1970. */
function check(context: SecureContextOptions, { cert, key, clientCa }: TlsFiles): number {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(context.cert as string);
  } catch {
    throw new TlsError(`tls.cert: expected a certificate as PEM in ${cert}, found none`);
  }
  try {
    createSecureContext(context);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const from = clientCa === '' ? `${cert} and ${key}` : `${cert}, ${key} and ${clientCa}`;
    throw new TlsError(`expected a certificate and its own private key in ${from}: ${why}`);
  }
  const expires = Date.parse(certificate.validTo);
  if (expires < Date.now()) {
    throw new TlsError(`tls.cert: the certificate in ${cert} ended on ${certificate.validTo}`);
  }
  return expires;
}
