// All partitions that this process owns: each has a loop of its own, and a new assignment ends them
// all and begins anew from what is committed.

import type { Clock } from '../../service/clock.ts';
import type { Log } from '../../service/log.ts';
import type { PartitionLog } from '../../storage/partition_log.ts';
import type { HeldBytes } from './held_bytes.ts';
import { PartitionConsumer, type PartitionDeps } from './partition_consumer.ts';

/** A range whose insert is nearly done may finish first; its token makes it harmless if not. */
const HAND_OVER_MS = 1_000;

export interface KafkaIngesterDeps extends Omit<PartitionDeps, 'log' | 'held'> {
  readonly held: HeldBytes;
  readonly log: Log;
}

interface Running {
  readonly consumer: PartitionConsumer;
  readonly ended: Promise<void>;
}

export class KafkaIngester {
  readonly #deps: KafkaIngesterDeps;
  readonly #clock: Clock;
  #running: Running[] = [];
  #stop = new AbortController();
  #turn: Promise<void> = Promise.resolve();
  #wanted: readonly PartitionLog[] = [];
  #stopping = false;

  constructor(deps: KafkaIngesterDeps) {
    this.#deps = deps;
    this.#clock = deps.clock;
  }

  /** The partitions of this process as they stand; for metrics. */
  get partitions(): readonly PartitionConsumer[] {
    return this.#running.map(({ consumer }) => consumer);
  }

  /**
   * Ends all loops and begins these; what was in memory is forgotten. Nothing begins once it stops: the
   * group, which is left after that, may still give partitions.
   */
  assigned(logs: readonly PartitionLog[]): void {
    if (this.#stopping) return;
    this.#wanted = logs;
    this.#stop.abort();
    this.#turn = this.#turn.then(() => this.#begin(logs));
  }

  /** Lets ranges that are being inserted finish, then ends. Commit what is done, leave the rest. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#wanted = [];
    await this.#turn;
    for (const { consumer } of this.#running) consumer.finish();
    await this.#endedWithin(graceMs);
    this.#stop.abort();
    await this.#endedWithin(HAND_OVER_MS);
    this.#running = [];
  }

  async #begin(logs: readonly PartitionLog[]): Promise<void> {
    await this.#endedWithin(HAND_OVER_MS);
    this.#running = [];
    // A later assignment waits behind this one: it is what counts.
    if (logs !== this.#wanted || logs.length === 0) return;
    this.#stop = new AbortController();
    this.#running = logs.map((log) => this.#run(log, this.#stop.signal));
    const partitions = logs.map(({ source }) => source.partition);
    const topic = logs[0]?.source.topic;
    this.#deps.log.info('partitions assigned', { topic, partitions });
  }

  #run(log: PartitionLog, signal: AbortSignal): Running {
    const consumer = new PartitionConsumer({ ...this.#deps, log }, signal);
    const ended = consumer.run().then((how) => {
      if (how !== 'fenced') return;
      this.#deps.log.warn('a partition went to another ingester', {
        topic: log.source.topic,
        partition: log.source.partition,
      });
    });
    // A bug of ours: nobody handles it, and the process ends (service/lifecycle.ts).
    return { consumer, ended };
  }

  async #endedWithin(ms: number): Promise<void> {
    if (this.#running.length === 0) return;
    const all = Promise.all(this.#running.map(({ ended }) => ended)).then(() => undefined);
    await Promise.race([all, this.#clock.sleep(ms)]);
  }
}
