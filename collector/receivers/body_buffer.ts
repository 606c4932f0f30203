// A body as it grows: one buffer that doubles, so that a body of one-byte chunks costs no more than
// its bytes, and whose every byte is in the memory budget before it is allocated.

import { RefusalError } from '../../service/refusal.ts';
import type { Reservation } from './reservation.ts';

/** A first buffer for bodies of unknown length: most batches of 100 spans fit. */
const FIRST_BYTES = 64 * 1024;

/** A declared length is believed up to here; past it a body must arrive to be paid for. */
const DECLARED_BYTES_MAX = 1024 * 1024;

export class BodyBuffer {
  readonly #reservation: Reservation;
  readonly #bytesMax: number;
  readonly #what: string;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #length = 0;
  #expected: number;

  /**
   * `expected` bytes are a hint, `bytesMax` the cap; `what` names the body in the refusal ("the
   * body", "the inflated body").
   */
  constructor(reservation: Reservation, expected: number, bytesMax: number, what: string) {
    this.#reservation = reservation;
    this.#bytesMax = bytesMax;
    this.#what = what;
    this.#expected = expected > 0 ? Math.min(expected, DECLARED_BYTES_MAX) : FIRST_BYTES;
  }

  get length(): number {
    return this.#length;
  }

  /** Throws RefusalError: `too_large` past the cap, `busy` when the memory is full. */
  append(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#bytesMax) throw tooLarge(this.#what, this.#bytesMax);
    if (this.#buffer === undefined || length > this.#buffer.length) this.#grow(length);
    this.#buffer?.set(chunk, this.#length);
    this.#length = length;
  }

  /** What was appended, at the start of an ArrayBuffer of its own that may be longer. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer?.subarray(0, this.#length) ?? new Uint8Array(0);
  }

  /** Forgets the bytes and gives their memory back. */
  drop(): void {
    if (this.#buffer !== undefined) this.#reservation.give(this.#buffer.length);
    this.#buffer = undefined;
    this.#length = 0;
  }

  #grow(needed: number): void {
    const old = this.#buffer;
    const wanted = Math.max(needed, old === undefined ? this.#expected : old.length * 2);
    const size = Math.max(needed, Math.min(wanted, this.#bytesMax));
    this.#reservation.take(size);
    // Not from Node's pool: it is handed on, and perhaps transferred to a worker.
    const grown = new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
    if (old !== undefined) {
      grown.set(old.subarray(0, this.#length));
      this.#reservation.give(old.length);
    }
    this.#buffer = grown;
  }
}

export function tooLarge(what: string, bytesMax: number): RefusalError {
  return new RefusalError({
    code: 'too_large',
    message: `${what} is longer than ${bytesMax} bytes (limits.request_bytes): send smaller batches`,
  });
}
