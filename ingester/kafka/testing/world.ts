// Virtual time for the simulation: events in order of time, and between two of them everything that
// can go on without waiting goes on. One seed, one run.

import type { Clock } from '../../../service/clock.ts';

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

export class World {
  nowMs = 0;
  readonly random: () => number;
  #order = 0;
  readonly #events: Event[] = [];

  constructor(seed: number) {
    this.random = mulberry32(seed);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  between(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  later(delayMs: number, act: () => void): void {
    const event = { atMs: this.nowMs + delayMs, order: this.#order++, act };
    let at = this.#events.length;
    while (at > 0 && isBefore(event, this.#events[at - 1] as Event)) at--;
    this.#events.splice(at, 0, event);
  }

  /** Plays events until `done` or `untilMs`. */
  async run(untilMs: number, done: () => boolean): Promise<void> {
    for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
      if (event.atMs > untilMs) return;
      this.nowMs = event.atMs;
      event.act();
      // Every await that can go on does so before the next event.
      await new Promise((resolve) => setImmediate(resolve));
      if (done()) return;
    }
  }
}

/** A process in the world: it can be killed, or stopped and continued, between any two events. */
export class SimProcess {
  readonly world: World;
  dead = false;
  /** Told after the effect of a call, which is where a crash hurts most. */
  atCall: (() => void) | undefined;
  #paused = false;
  readonly #inbox: (() => void)[] = [];

  constructor(world: World) {
    this.world = world;
  }

  /** Gone: nothing that it waits for ever comes. */
  kill(): void {
    this.dead = true;
    this.#inbox.length = 0;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const act of this.#inbox.splice(0)) this.world.later(0, () => this.deliver(act));
  }

  get running(): boolean {
    return !this.dead && !this.#paused;
  }

  deliver(act: () => void): void {
    if (this.dead) return;
    if (this.#paused) this.#inbox.push(act);
    else act();
  }

  /**
   * A call over a network: `effect` happens at the other end, or not; its answer comes, or not. A
   * request that was on its way when its sender died may still arrive.
   */
  call<T>(effect: () => T, faults: { readonly rate: number }): Promise<T> {
    const { world } = this;
    return new Promise<T>((resolve, reject) => {
      const fail = (error: unknown): void => this.deliver(() => reject(error));
      world.later(delayMs(world), () => {
        if (this.dead && world.chance(0.5)) return;
        if (world.chance(faults.rate)) {
          world.later(delayMs(world), () => fail(new Error('not sent')));
          return;
        }
        let value: T;
        try {
          value = effect();
        } catch (error) {
          world.later(delayMs(world), () => fail(error));
          return;
        }
        this.atCall?.();
        const lost = world.chance(faults.rate);
        const answer = (): void => this.deliver(() => resolve(value));
        world.later(delayMs(world), lost ? () => fail(new Error('no answer')) : answer);
      });
    });
  }

  get clock(): Clock {
    const { world } = this;
    return {
      nowMs: () => world.nowMs,
      monotonicMs: () => world.nowMs,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted === true) resolve();
          signal?.addEventListener('abort', () => resolve(), { once: true });
          world.later(ms, () => this.deliver(resolve));
        }),
    };
  }
}

/** Mostly quick, now and then longer than a session. */
function delayMs(world: World): number {
  return world.chance(0.02) ? world.between(500, 5_000) : world.between(0, 20);
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Small, seeded, good enough to choose faults by. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
