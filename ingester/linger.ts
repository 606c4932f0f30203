// How long a group stays open after the store is free. Two reasons to wait a little:
// - senders that send one request after the other all come back just after an answer; a group
//   closed by the first of them would leave the others to the next insert;
// - an insert costs tens of milliseconds however few its rows are, so small groups are rationed:
//   otherwise a trickle of tiny requests would keep a core busy.

/** Waiting for senders to come back takes at most this share of the last insert. */
const RETURN_SHARE = 0.25;
const RETURN_MS_MAX = 25;

/** Groups of at least so many spans are never rationed. */
const SMALL_GROUP_SPANS = 256;
/** Small groups a second that cost about a tenth of a core (30–40 ms CPU each, bench all-in-one). */
const SMALL_GROUPS_PER_SECOND = 3;
/** So many small groups go at once after a quiet time: a lone request is never rationed. */
const SMALL_GROUPS_BURST = 8;
/** Rationed or not, nobody waits longer: a lone request is to be answered within 200 ms. */
const SMALL_GROUP_MS_MAX = 120;

export class Linger {
  #lastRequests = 1;
  #lastInsertMs = 0;
  #allowance = SMALL_GROUPS_BURST;
  #allowanceAtMs = 0;

  /** Milliseconds that a group opened at `openedMs` still waits; 0 closes it. */
  remainingMs(group: { requests: number; spans: number; openedMs: number }, nowMs: number): number {
    const waitedMs = nowMs - group.openedMs;
    const forReturn =
      group.requests >= this.#lastRequests
        ? 0
        : Math.min(this.#lastInsertMs * RETURN_SHARE, RETURN_MS_MAX);
    const small = group.spans < SMALL_GROUP_SPANS && this.#allowanceAt(nowMs) < 1;
    return Math.max(0, Math.max(forReturn, small ? SMALL_GROUP_MS_MAX : 0) - waitedMs);
  }

  /** A group was closed. */
  closed(group: { requests: number; spans: number }, nowMs: number): void {
    this.#lastRequests = group.requests;
    if (group.spans >= SMALL_GROUP_SPANS) return;
    this.#allowance = Math.max(0, this.#allowanceAt(nowMs) - 1);
    this.#allowanceAtMs = nowMs;
  }

  inserted(tookMs: number): void {
    this.#lastInsertMs = tookMs;
  }

  #allowanceAt(nowMs: number): number {
    const gained = ((nowMs - this.#allowanceAtMs) / 1000) * SMALL_GROUPS_PER_SECOND;
    return Math.min(SMALL_GROUPS_BURST, this.#allowance + gained);
  }
}
