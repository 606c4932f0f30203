// How long a sender waits before it is told that the brokers are in trouble: about a second, and
// longer only where the brokers have shown that they are slow but do answer.

const PATIENCE_MS_MIN = 1000;

/** Exporters give up after ten seconds; they must hear of trouble from us before. */
const PATIENCE_MS_MAX = 8000;

/** So many times the usual time of an acknowledgement is no longer usual. */
const FACTOR = 2;

/** Weight of the newest time where it is below the usual one: slow links get no better at once. */
const DECAY = 0.2;

export class Patience {
  #usualMs = 0;

  get ms(): number {
    return Math.min(PATIENCE_MS_MAX, Math.max(PATIENCE_MS_MIN, FACTOR * this.#usualMs));
  }

  /** A send was acknowledged after so long; a slow one counts at once, fast ones little by little. */
  acknowledged(tookMs: number): void {
    this.#usualMs =
      tookMs > this.#usualMs ? tookMs : this.#usualMs + DECAY * (tookMs - this.#usualMs);
  }

  /** A send was never acknowledged: what was usual is no longer known. */
  lost(): void {
    this.#usualMs = 0;
  }
}
