// A certificate authority for one test: its certificate, and certificates of its making, as PEM
// files. By openssl, since Node can read certificates and not make them.
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DAYS = '2';

export interface Identity {
  /** PEM files. */
  readonly cert: string;
  readonly key: string;
  /** Both in one file, key first. */
  readonly both: string;
}

export class Authority {
  /** PEM file of the authority's own certificate. */
  readonly ca: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.ca = join(folder, 'ca.pem');
  }

  /** Into a folder that is there; whoever made it removes it. */
  static async create(folder: string): Promise<Authority> {
    const authority = new Authority(folder);
    await openssl(folder, [
      ...['req', '-x509', '-subj', '/CN=test authority', '-days', DAYS],
      ...['-addext', 'basicConstraints=critical,CA:TRUE'],
      ...[...newKey('ca.key'), '-out', 'ca.pem'],
    ]);
    return authority;
  }

  /** For 127.0.0.1 and localhost, as server and as client. */
  async issue(name: string): Promise<Identity> {
    const folder = this.#folder;
    const [request, cert, key] = [`${name}.csr`, `${name}.pem`, `${name}.key`];
    await openssl(folder, ['req', '-subj', `/CN=${name}`, ...newKey(key), '-out', request]);
    const names = join(folder, `${name}.ext`);
    writeFileSync(names, 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
    await openssl(folder, [
      ...['x509', '-req', '-in', request, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
      ...['-days', DAYS, '-extfile', names, '-out', cert],
    ]);
    const both = join(folder, `${name}.both.pem`);
    const parts = [key, cert, 'ca.pem'].map((part) => readFileSync(join(folder, part), 'utf8'));
    writeFileSync(both, parts.join(''));
    return { cert: join(folder, cert), key: join(folder, key), both };
  }
}

function newKey(file: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file];
}

async function openssl(folder: string, args: readonly string[]): Promise<void> {
  try {
    await run('openssl', args, { cwd: folder });
  } catch (cause) {
    throw new Error('This test needs openssl, to make certificates: install it.', { cause });
  }
}
