// How long to wait before trying again.

const BACKOFF_MS_MIN = 50;
/** A store that is back is noticed within about a second. */
const BACKOFF_MS_MAX = 1_000;

/** Doubles from try to try, with jitter so that many ingesters do not come back as one. */
export function backoffMs(tries: number, random: () => number): number {
  const plain = Math.min(BACKOFF_MS_MIN * 2 ** Math.min(tries, 10), BACKOFF_MS_MAX);
  return plain * (0.5 + random());
}
