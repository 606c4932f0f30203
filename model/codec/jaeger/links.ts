// References of one span, gathered until its own ids are known, since the one that names its parent
// is no link.

import { LINKS_PER_SPAN_MAX } from '../../limits.ts';
import type { ProtoWriter } from '../otlp/proto_writer.ts';
import { writeText } from './tag.ts';

/** SpanRefType, the same in both formats. */
export const CHILD_OF = 0;
export const FOLLOWS_FROM = 1;

const utf8 = new TextEncoder();
/** What OpenTelemetry's own shim calls it, and what our Jaeger API reads back. */
const REF_TYPE = utf8.encode('opentracing.ref_type');
const TYPE_NAMES = [utf8.encode('child_of'), utf8.encode('follows_from')] as const;

/** A trace id and a span id. */
const ID_BYTES = 24;
const TRACE_ID_BYTES = 16;

const FIRST_CAPACITY = 4;

export class Links {
  /** References that were sent and are not among the first LINKS_PER_SPAN_MAX, or have no ids. */
  dropped = 0;
  #count = 0;
  #ids = Buffer.alloc(FIRST_CAPACITY * ID_BYTES);
  #types = new Uint8Array(FIRST_CAPACITY);

  clear(): void {
    this.#count = 0;
    this.dropped = 0;
  }

  /** Halves of ids; `type` other than CHILD_OF is read as FOLLOWS_FROM, as Jaeger does. */
  add(type: number, ids: Uint8Array): void {
    if (this.#count === LINKS_PER_SPAN_MAX) {
      this.dropped++;
      return;
    }
    if (this.#count === this.#types.length) this.#grow();
    // By hand, as below: a call into the engine costs more than some bytes.
    const start = this.#count * ID_BYTES;
    for (let i = 0; i < ID_BYTES; i++) this.#ids[start + i] = ids[i] as number;
    this.#types[this.#count++] = type === CHILD_OF ? CHILD_OF : FOLLOWS_FROM;
  }

  /**
   * Takes the parent out: the reference CHILD_OF to `parentId`, or, when that is empty, the first
   * one to this trace, whose span id is then copied to `parentId`. Ids are 16 and 8 bytes.
   */
  takeParent(traceId: Uint8Array, parentId: Uint8Array): void {
    const known = !isZero(parentId);
    for (let i = 0; i < this.#count; i++) {
      const at = i * ID_BYTES;
      if (this.#types[i] !== CHILD_OF || !this.#isAt(at, traceId)) continue;
      const spanAt = at + TRACE_ID_BYTES;
      if (known ? !this.#isAt(spanAt, parentId) : this.#isZeroAt(spanAt)) continue;
      for (let j = 0; j < parentId.length; j++) parentId[j] = this.#ids[spanAt + j] as number;
      this.#remove(i);
      return;
    }
  }

  /** Each as a Span.Link: 1 trace id, 2 span id, 4 attributes. */
  write(out: ProtoWriter, field: number): void {
    for (let i = 0; i < this.#count; i++) {
      const at = i * ID_BYTES;
      const link = out.begin(field);
      out.bytes(1, this.#ids, at, at + TRACE_ID_BYTES);
      out.bytes(2, this.#ids, at + TRACE_ID_BYTES, at + ID_BYTES);
      writeText(out, 4, REF_TYPE, TYPE_NAMES[this.#types[i] as 0 | 1]);
      out.end(link);
    }
  }

  #isAt(at: number, id: Uint8Array): boolean {
    for (let i = 0; i < id.length; i++) if (this.#ids[at + i] !== id[i]) return false;
    return true;
  }

  #isZeroAt(at: number): boolean {
    for (let i = at; i < at + ID_BYTES - TRACE_ID_BYTES; i++) if (this.#ids[i] !== 0) return false;
    return true;
  }

  #remove(index: number): void {
    if (index === this.#count - 1) {
      this.#count--;
      return;
    }
    this.#ids.copyWithin(index * ID_BYTES, (index + 1) * ID_BYTES, this.#count * ID_BYTES);
    this.#types.copyWithin(index, index + 1, this.#count);
    this.#count--;
  }

  #grow(): void {
    const ids = Buffer.alloc(this.#ids.length * 2);
    ids.set(this.#ids);
    this.#ids = ids;
    const types = new Uint8Array(this.#types.length * 2);
    types.set(this.#types);
    this.#types = types;
  }
}

export function isZero(id: Uint8Array): boolean {
  for (let i = 0; i < id.length; i++) if (id[i] !== 0) return false;
  return true;
}
