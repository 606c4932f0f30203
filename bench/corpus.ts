// The spans that benchmarks run on: 512 (or 10) a request, about 536 bytes and 12 attributes each.
// Generated once from a seed and kept in the system's folder for temporary files.

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { CORPUS_START_UNIX_NANOS, generateRequests } from './corpus/generate.ts';
import { findPlaces, type Pass, patch, type Template } from './corpus/patch.ts';

/** Raise it when the generator changes, so that no old file is taken for a new one. */
const CORPUS_VERSION = 2;
const SEED = 12_345;

/**
 * The corpus spans this much of its own time; a pass begins so long ago that no span is ahead of
 * now.
 */
const CORPUS_LENGTH_SECONDS = 20;

export interface CorpusSize {
  readonly spansPerRequest: number;
  readonly requests: number;
}

/** As the rivals were measured: 200 requests of 512 spans, or 4,000 of 10. */
export const LARGE_REQUESTS: CorpusSize = { spansPerRequest: 512, requests: 200 };
export const SMALL_REQUESTS: CorpusSize = { spansPerRequest: 10, requests: 4000 };

/** A request to send now; give it back when it was answered, since its bytes are used again. */
export interface Loan {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly spans: number;
  giveBack(): void;
}

/** Requests whose ids and times are new on every send. */
export class Corpus {
  readonly #templates: readonly Template[];
  readonly #held: (Pass | undefined)[];
  readonly #lent: Uint8Array;
  #pass: Pass;
  #next = 0;

  constructor(requests: readonly Uint8Array[]) {
    this.#templates = requests.map((bytes) => findPlaces(bytes, CORPUS_START_UNIX_NANOS));
    this.#held = requests.map(() => undefined);
    this.#lent = new Uint8Array(requests.length);
    this.#pass = newPass();
  }

  get requests(): number {
    return this.#templates.length;
  }

  get bytes(): number {
    return this.#templates.reduce((sum, template) => sum + template.bytes.length, 0);
  }

  get spans(): number {
    return this.#templates.reduce((sum, template) => sum + template.spans, 0);
  }

  /** Throws RangeError when all requests are lent: fewer in flight, or a larger corpus. */
  borrow(): Loan {
    for (let tries = 0; tries < this.#templates.length; tries++) {
      const number = this.#next;
      this.#next = (this.#next + 1) % this.#templates.length;
      if (this.#next === 0) this.#pass = newPass();
      if (this.#lent[number] === 1) continue;
      const template = this.#templates[number]!;
      patch(template, this.#held[number], this.#pass);
      this.#held[number] = this.#pass;
      this.#lent[number] = 1;
      const { bytes, spans } = template;
      return { bytes, spans, giveBack: () => this.#lent.fill(0, number, number + 1) };
    }
    throw new RangeError(`All ${this.#templates.length} requests of the corpus are in flight.`);
  }
}

export async function openCorpus(size: CorpusSize): Promise<Corpus> {
  return new Corpus(await corpusRequests(size));
}

/** The bare requests as generated, e.g. to feed a decoder. */
export async function corpusRequests(size: CorpusSize): Promise<readonly Uint8Array[]> {
  const name = `v${CORPUS_VERSION}-${size.spansPerRequest}x${size.requests}.bin`;
  const folder = path.join(os.tmpdir(), 'spanhouse-bench-corpus');
  const file = path.join(folder, name);
  const known = await readFile(file).catch(() => undefined);
  if (known !== undefined) return split(known);
  const requests = [...generateRequests({ ...size, seed: SEED })];
  await mkdir(folder, { recursive: true });
  // Two benchmarks may do this at once: a rename shows a whole file or none.
  await writeFile(`${file}.${process.pid}`, join(requests));
  await rename(`${file}.${process.pid}`, file);
  return requests;
}

function newPass(): Pass {
  const random = new BigUint64Array(crypto.getRandomValues(new Uint8Array(8)).buffer)[0] ?? 1n;
  const startUnixMs = Date.now() - CORPUS_LENGTH_SECONDS * 1000;
  return { idSalt: random, startUnixNanos: BigInt(startUnixMs) * 1_000_000n };
}

/** Each request after its length (uint32, little endian). */
function join(requests: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    requests.flatMap((bytes) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}

function split(file: Buffer): Uint8Array[] {
  const requests: Uint8Array[] = [];
  for (let at = 0; at < file.length; ) {
    const length = file.readUInt32LE(at);
    requests.push(file.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return requests;
}
