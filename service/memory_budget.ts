// Bytes of requests in flight, bounded for the whole process (P7): every receiver asks here before
// it holds a body, and refuses (`busy`) when the answer is no. One number instead of a limit a
// connection, since a thousand small limits still add up to a crash.

export class MemoryBudget {
  readonly limitBytes: number;
  #usedBytes = 0;
  #refusals = 0;

  /** Throws RangeError unless `limitBytes` is a positive whole number. */
  constructor(limitBytes: number) {
    if (!Number.isSafeInteger(limitBytes) || limitBytes <= 0) {
      throw new RangeError(`a memory budget is a positive number of bytes, not ${limitBytes}`);
    }
    this.limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** How often `tryReserve` has said no. */
  get refusals(): number {
    return this.#refusals;
  }

  /** Takes `bytes` if they fit, all or nothing. Every true must be followed by one `release`. */
  tryReserve(bytes: number): boolean {
    assertBytes(bytes);
    if (this.#usedBytes + bytes > this.limitBytes) {
      this.#refusals += 1;
      return false;
    }
    this.#usedBytes += bytes;
    return true;
  }

  /** Gives back what was reserved; more than is in use is a bug of the caller and throws. */
  release(bytes: number): void {
    assertBytes(bytes);
    if (bytes > this.#usedBytes) {
      throw new RangeError(`released ${bytes} bytes of ${this.#usedBytes} in use`);
    }
    this.#usedBytes -= bytes;
  }
}

function assertBytes(bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    throw new RangeError(`a whole number of bytes was expected, not ${bytes}`);
  }
}
