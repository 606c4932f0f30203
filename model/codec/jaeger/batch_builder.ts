// An ExportTraceServiceRequest out of Jaeger batches: one ResourceSpans for each process, and in it
// one ScopeSpans for each run of spans with one scope. A batch that turns out malformed half way is
// taken back, so that many datagrams can go into one request.

import { ProtoWriter } from '../otlp/proto_writer.ts';
import { checkSize, type Decoded, problemOf } from './problem.ts';
import { SpanBuilder } from './span_builder.ts';
import { equals } from './special_tags.ts';
import { STRING, type Tag, writeTag, writeText } from './tag.ts';

const FIRST_BYTES = 4 * 1024;

const utf8 = new TextEncoder();
const SERVICE_NAME = utf8.encode('service.name');
const HOSTNAME = utf8.encode('hostname');
const HOST_NAME = utf8.encode('host.name');

const CLOSED = -1;

export class BatchBuilder {
  /** Spans of whole batches. */
  spans = 0;
  readonly span: SpanBuilder;
  readonly bytesMax: number;
  readonly #out: ProtoWriter;
  #resource = CLOSED;
  #scope = CLOSED;
  #attributes = CLOSED;
  /** The open scope's name and version, as ranges of the source. */
  readonly #scopeAt = new Int32Array(4);
  readonly #spanScope = new Int32Array(4);
  #hostname: readonly [number, number] | undefined;
  #hasHostName = false;

  /**
   * `bytesMax` bounds the request that is being made; `sourceBytes`, when they are known, are what
   * it is made of, which is about as long.
   */
  constructor(bytesMax: number, sourceBytes = 0) {
    this.bytesMax = bytesMax;
    this.#out = new ProtoWriter(Math.max(FIRST_BYTES, sourceBytes + (sourceBytes >> 2)));
    this.span = new SpanBuilder(bytesMax);
  }

  /** Bytes of the request so far. */
  get length(): number {
    return this.#out.length;
  }

  /** Runs `read`, which adds one batch; undefined, or why it was taken back. */
  batch(read: () => void): (Decoded & { ok: false }) | undefined {
    const [length, spans] = [this.#out.length, this.spans];
    try {
      read();
      this.closeResource();
      return undefined;
    } catch (error) {
      this.#out.reset(length);
      this.spans = spans;
      this.#resource = CLOSED;
      this.#scope = CLOSED;
      return problemOf(error);
    }
  }

  /** The request; the builder is empty again. A request without spans has no bytes. */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.spans === 0) this.#out.reset();
    this.spans = 0;
    return this.#out.take();
  }

  openResource(): void {
    this.closeResource();
    this.#resource = this.#out.begin(1);
  }

  closeResource(): void {
    this.#closeScope();
    if (this.#resource !== CLOSED) this.#out.end(this.#resource);
    this.#resource = CLOSED;
  }

  /** Begins the process of the open resource; its tags and name follow. */
  beginProcess(): void {
    // A process may come after spans, which have left a scope open.
    this.#closeScope();
    this.#attributes = this.#out.begin(1);
    this.#hostname = undefined;
    this.#hasHostName = false;
  }

  processTag(source: Uint8Array, tag: Tag): void {
    writeTag(this.#out, 1, source, tag);
    if (equals(HOST_NAME, source, tag.keyStart, tag.keyEnd)) this.#hasHostName = true;
    if (tag.type === STRING && equals(HOSTNAME, source, tag.keyStart, tag.keyEnd)) {
      this.#hostname = [tag.start, tag.end];
    }
    this.#checkSize();
  }

  /** The name comes last, since of several `service.name` the last one counts. */
  endProcess(source: Uint8Array, nameStart: number, nameEnd: number): void {
    if (this.#hostname !== undefined && !this.#hasHostName) {
      writeText(this.#out, 1, HOST_NAME, source.subarray(...this.#hostname));
    }
    if (nameEnd > nameStart) {
      writeText(this.#out, 1, SERVICE_NAME, source.subarray(nameStart, nameEnd));
    }
    this.#out.end(this.#attributes);
    this.#attributes = CLOSED;
  }

  /** Adds the finished `span` to the open resource. */
  addSpan(): void {
    this.span.scopeRanges(this.#spanScope);
    if (this.#scope === CLOSED || !this.#isSameScope()) this.#openScope();
    this.#out.message(2, this.span.out);
    this.spans++;
    this.#checkSize();
  }

  #isSameScope(): boolean {
    const { source } = this.span;
    for (let i = 0; i < 4; i += 2) {
      const [start, end] = [this.#spanScope[i] as number, this.#spanScope[i + 1] as number];
      const open = this.#scopeAt[i] as number;
      if (end - start !== (this.#scopeAt[i + 1] as number) - open) return false;
      for (let at = 0; at < end - start; at++) {
        if (source[start + at] !== source[open + at]) return false;
      }
    }
    return true;
  }

  #openScope(): void {
    this.#closeScope();
    this.#scopeAt.set(this.#spanScope);
    const [nameStart = 0, nameEnd = 0, versionStart = 0, versionEnd = 0] = this.#scopeAt;
    this.#scope = this.#out.begin(2);
    if (nameEnd === nameStart && versionEnd === versionStart) return;
    const scope = this.#out.begin(1);
    const { source } = this.span;
    if (nameEnd > nameStart) this.#out.bytes(1, source, nameStart, nameEnd);
    if (versionEnd > versionStart) this.#out.bytes(2, source, versionStart, versionEnd);
    this.#out.end(scope);
  }

  #closeScope(): void {
    if (this.#scope !== CLOSED) this.#out.end(this.#scope);
    this.#scope = CLOSED;
  }

  #checkSize(): void {
    checkSize(this.#out.length, this.bytesMax);
  }
}
