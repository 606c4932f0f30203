// OTLP bytes checked and turned into ClickHouse Native blocks, in WebAssembly. Rules: README.md;
// source: assembly/. One instance keeps one group at a time: not reentrant, one a thread.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type CheckResult, noneRejected, REJECT_REASONS, type Rejected } from './check_result.ts';

/** One request, checked, with when it was received and whose it is. */
export interface SpanRecord {
  readonly tenant: string;
  /** ExportTraceServiceRequest. */
  readonly bytes: Uint8Array;
  readonly recordUnixNanos: bigint;
}

export interface TranscodeOptions {
  /** Spans that start this long before their record are rejected. */
  readonly maxAgeSeconds: number;
  /** Rows a block, at most BLOCK_ROWS_MAX. */
  readonly blockRowsMax?: number;
}

/** Rows of `spans_in` in Native format, sorted as the table is. */
export interface NativeBlock {
  readonly native: Uint8Array<ArrayBuffer>;
  readonly rows: number;
}

export interface TranscodeCounts {
  /** Rows written. */
  readonly spans: number;
  readonly rejected: Rejected;
  readonly droppedAttributes: number;
  readonly droppedEvents: number;
  readonly droppedLinks: number;
  readonly cutValues: number;
}

export interface Transcoded {
  readonly blocks: NativeBlock[];
  readonly counts: TranscodeCounts;
}

interface Walk {
  readonly memory: WebAssembly.Memory;
  seedDictionaries(seed: bigint): void;
  inputAt(): number;
  inputBytes(): number;
  tenantAt(number: number): number;
  position(): number;
  checkInput(length: number, recordUnixNanos: bigint, maxAgeSeconds: bigint): void;
  outcome(reason: number): number;
  reset(): void;
  index(offset: number, length: number, tenant: number, nanos: bigint, maxAge: bigint): void;
  sort(): number;
  build(from: number, rowsMax: number): number;
  blockRows(): number;
  segments(): number;
  segmentsAt(): number;
  dropped(what: number): number;
}

const BLOCK_ROWS_ANY = 0xffffffff;

export class Transcoder {
  readonly #walk: Walk;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(module: WebAssembly.Module) {
    const env = { formatDouble: (at: number, value: number) => this.#formatDouble(at, value) };
    const instance = new WebAssembly.Instance(module, { env });
    this.#walk = instance.exports as Walk;
    this.#bytes = new Uint8Array(this.#walk.memory.buffer);
    this.#view = new DataView(this.#walk.memory.buffer);
    this.#walk.seedDictionaries(randomBytes(8).readBigUInt64LE());
  }

  /** The bytes of requests that one transcode may take together. */
  get groupBytesMax(): number {
    return this.#walk.inputBytes();
  }

  /** Walks one request to its last nested value. Never throws for what the bytes hold. */
  check(bytes: Uint8Array, recordUnixNanos: bigint, maxAgeSeconds: number): CheckResult {
    this.#load(bytes, 0);
    try {
      this.#walk.checkInput(bytes.length, recordUnixNanos, BigInt(maxAgeSeconds));
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      const message =
        'expected an ExportTraceServiceRequest in protobuf, but the bytes are malformed ' +
        `near offset ${this.#walk.position()} of ${bytes.length}`;
      return { ok: false, reason: 'malformed', message };
    }
    return { ok: true, spans: this.#walk.outcome(0), rejected: this.#rejected() };
  }

  /** Turns checked requests into blocks. Throws RangeError if they exceed groupBytesMax together. */
  transcode(records: readonly SpanRecord[], options: TranscodeOptions): Transcoded {
    const walk = this.#walk;
    const maxAge = BigInt(options.maxAgeSeconds);
    const tenants = this.#numberTenants(records);
    walk.reset();
    let offset = 0;
    for (const record of records) {
      this.#load(record.bytes, offset);
      const tenant = tenants.get(record.tenant) ?? 0;
      walk.index(offset, record.bytes.length, tenant, record.recordUnixNanos, maxAge);
      offset += record.bytes.length;
    }
    const total = walk.sort();
    const blocks: NativeBlock[] = [];
    for (let from = 0; from < total; ) {
      from = walk.build(from, options.blockRowsMax ?? BLOCK_ROWS_ANY);
      blocks.push({ native: this.#copyOut(), rows: walk.blockRows() });
    }
    return { blocks, counts: this.#counts(total) };
  }

  #counts(spans: number): TranscodeCounts {
    return {
      spans,
      rejected: this.#rejected(),
      droppedAttributes: this.#walk.dropped(0),
      droppedEvents: this.#walk.dropped(1),
      droppedLinks: this.#walk.dropped(2),
      cutValues: this.#walk.dropped(3),
    };
  }

  #load(bytes: Uint8Array, offset: number): void {
    if (offset + bytes.length > this.#walk.inputBytes()) {
      throw new RangeError(
        `requests of ${offset + bytes.length} bytes do not fit into ${this.#walk.inputBytes()}`,
      );
    }
    this.#bytes.set(bytes, this.#walk.inputAt() + offset);
  }

  #rejected(): Rejected {
    const rejected = noneRejected();
    REJECT_REASONS.forEach((reason, i) => {
      rejected[reason] = this.#walk.outcome(i + 1);
    });
    return rejected;
  }

  /** Writes the names in the order of their bytes, which is the order of the table. */
  #numberTenants(records: readonly SpanRecord[]): Map<string, number> {
    const names = [...new Set(records.map((record) => record.tenant))].map((n) => Buffer.from(n));
    names.sort(Buffer.compare);
    const numbers = new Map<string, number>();
    names.forEach((name, number) => {
      const at = this.#walk.tenantAt(number);
      this.#view.setUint32(at, name.length, true);
      this.#bytes.set(name, at + 4);
      numbers.set(name.toString(), number);
    });
    return numbers;
  }

  #copyOut(): Uint8Array<ArrayBuffer> {
    const count = this.#walk.segments();
    const list = new Uint32Array(this.#walk.memory.buffer, this.#walk.segmentsAt(), count * 2);
    let length = 0;
    for (let i = 1; i < list.length; i += 2) length += list[i] ?? 0;
    const native = new Uint8Array(length);
    let to = 0;
    for (let i = 0; i < list.length; i += 2) {
      const at = list[i] ?? 0;
      const size = list[i + 1] ?? 0;
      native.set(this.#bytes.subarray(at, at + size), to);
      to += size;
    }
    return native;
  }

  #formatDouble(at: number, value: number): number {
    const text = String(value);
    for (let i = 0; i < text.length; i++) this.#bytes[at + i] = text.charCodeAt(i);
    return text.length;
  }
}

/** Loads the compiled walk; throws if it has not been compiled (`npm run prepare`). */
export async function loadTranscoder(): Promise<Transcoder> {
  return new Transcoder(new WebAssembly.Module(readWalk()));
}

function readWalk(): Uint8Array<ArrayBuffer> {
  const file = new URL('./otlp.wasm', import.meta.url);
  try {
    return new Uint8Array(readFileSync(file));
  } catch (cause) {
    throw new Error('otlp.wasm is missing: run `npm run prepare` to compile it', { cause });
  }
}
