// When the time of a call is over, for thousands of calls at once: one timer that looks at them all,
// since a timer for each, set and cleared, costs more than the call's other bookkeeping.

/** How late a call may be told. */
const TICK_MS = 50;

export class CallClock<Call> {
  readonly #due = new Map<Call, number>();
  readonly #late: (call: Call) => void;
  #timer: NodeJS.Timeout | undefined;

  /** `late` is called once for each `expect` whose time has passed. */
  constructor(late: (call: Call) => void) {
    this.#late = late;
  }

  get nowMs(): number {
    return performance.now();
  }

  /** In place of what was expected before; Infinity is never late. */
  expect(call: Call, dueMs: number): void {
    this.#due.set(call, dueMs);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  forget(call: Call): void {
    this.#due.delete(call);
  }

  #tick(): void {
    const nowMs = this.nowMs;
    for (const [call, dueMs] of this.#due) {
      if (dueMs > nowMs) continue;
      this.#due.set(call, Infinity);
      this.#late(call);
    }
    if (this.#due.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
