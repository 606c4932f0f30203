// The special tags of one span that were seen so far, one for each place (special_tags.ts).

import type { ProtoWriter } from '../otlp/proto_writer.ts';
import { ERROR, PLACES } from './special_tags.ts';
import { BOOL, STRING, Tag, writeTag } from './tag.ts';

const EMPTY = 0;
const HELD = 1;
/** An attribute as well, since there is another one of its key. */
const KEPT = 2;
/** There is an attribute of its key, whose value has no place. */
const SEEN = 3;

export class HeldTags {
  readonly #state = new Uint8Array(PLACES);
  /** Ranges in the source: key start, key end, value start, value end. */
  readonly #ranges = new Int32Array(PLACES * 4);
  readonly #tag = new Tag();

  clear(): void {
    for (let i = 0; i < PLACES; i++) this.#state[i] = EMPTY;
  }

  has(place: number): boolean {
    return this.#state[place] === HELD || this.#state[place] === KEPT;
  }

  start(place: number): number {
    return this.#ranges[place * 4 + 2] as number;
  }

  end(place: number): number {
    return this.#ranges[place * 4 + 3] as number;
  }

  /** Whether the tag is held and nothing else; if not, it must be written as an attribute too. */
  hold(place: number, tag: Tag, out: ProtoWriter, field: number, source: Uint8Array): boolean {
    if (this.has(place)) {
      this.keep(place, out, field, source);
      return false;
    }
    const isOnly = this.#state[place] === EMPTY;
    this.#state[place] = isOnly ? HELD : KEPT;
    this.#ranges[place * 4] = tag.keyStart;
    this.#ranges[place * 4 + 1] = tag.keyEnd;
    this.#ranges[place * 4 + 2] = tag.start;
    this.#ranges[place * 4 + 3] = tag.end;
    return isOnly;
  }

  /** A tag of this key is going to be an attribute, so all of them must be. */
  see(place: number, out: ProtoWriter, field: number, source: Uint8Array): void {
    if (this.#state[place] === EMPTY) this.#state[place] = SEEN;
    else this.keep(place, out, field, source);
  }

  /** Writes the held tag as an attribute too, once. All are strings, but for ERROR, which is true. */
  keep(place: number, out: ProtoWriter, field: number, source: Uint8Array): void {
    if (this.#state[place] !== HELD) return;
    this.#state[place] = KEPT;
    const tag = this.#tag;
    tag.keyStart = this.#ranges[place * 4] as number;
    tag.keyEnd = this.#ranges[place * 4 + 1] as number;
    tag.start = this.start(place);
    tag.end = this.end(place);
    tag.type = place === ERROR ? BOOL : STRING;
    tag.bool = true;
    writeTag(out, field, source, tag);
  }
}
