// One partition without faults, every call written down: for tests of a single rule each.

import type { RecordHeader } from '../../../storage/partition_log.ts';
import type { ConsumeLedger, HeldReason } from '../consume_ledger.ts';
import { HeldBytes } from '../held_bytes.ts';
import type { RowSettings } from '../intent.ts';
import { PartitionConsumer, type PartitionDeps } from '../partition_consumer.ts';
import { type Canary, withCanary } from './canary.ts';
import { silentConsume, silentInserts } from './silent_ledgers.ts';
import { SimBroker, type SimPartition } from './sim_broker.ts';
import { buildBlocks, SimStore } from './sim_store.ts';
import { SimProcess, World } from './world.ts';

export interface RigOptions {
  readonly canary?: Canary | undefined;
  readonly settings?: RowSettings;
  /** Changes what the consumer is given, e.g. a store that refuses. */
  readonly change?: (deps: PartitionDeps) => PartitionDeps;
}

export class PartitionRig {
  readonly world = new World(1);
  readonly broker = new SimBroker(1);
  readonly store = new SimStore();
  /** Calls in order: `commit 0 {…}`, `insert <token>`, `bury <key>`, `ledger 0-4`. */
  readonly calls: string[] = [];
  readonly held: HeldReason[] = [];
  readonly counts = { lost: 0, replayed: 0, fenced: 0 };
  readonly heldBytes = new HeldBytes(1_000_000);
  process = new SimProcess(this.world);

  get partition(): SimPartition {
    return this.broker.partitions[0] as SimPartition;
  }

  append(value: string, headers: readonly RecordHeader[] = []): void {
    const offset = this.broker.append(this.partition, value, this.world.nowMs);
    const record = this.partition.records[offset];
    if (record !== undefined) this.partition.records[offset] = { ...record, headers };
  }

  /** A new owner of the partition, in a process of its own. */
  start(options: RigOptions = {}): {
    consumer: PartitionConsumer;
    stop: AbortController;
    how: Promise<string>;
  } {
    this.process = new SimProcess(this.world);
    this.broker.generation++;
    this.broker.members = [this.process];
    const stop = new AbortController();
    const own = {
      broker: this.broker,
      partition: this.partition,
      process: this.process,
      world: this.world,
    };
    const deps = withCanary((options.change ?? same)(this.#deps(options)), own, options.canary);
    const consumer = new PartitionConsumer(this.#watched(deps), stop.signal);
    return { consumer, stop, how: consumer.run() };
  }

  /** Lets virtual time pass. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.world.nowMs + ms;
    this.world.later(ms, () => undefined);
    await this.world.run(untilMs, () => this.world.nowMs >= untilMs);
  }

  #deps({ settings }: RigOptions): PartitionDeps {
    const { process } = this;
    return {
      log: this.broker.logFor(this.partition, process, this.broker.generation),
      store: this.store.spansFor(process),
      ranges: this.store.rangesFor(process),
      deadLetters: this.store.lettersFor(process),
      build: (records) => process.call(() => buildBlocks(records), { rate: 0 }),
      buckets: () => undefined,
      clock: process.clock,
      random: () => 0.5,
      held: this.heldBytes,
      settings: settings ?? { maxAgeSeconds: 1, tenant: undefined },
      ledger: this.#ledger(),
      inserts: silentInserts,
    };
  }

  #ledger(): ConsumeLedger {
    return {
      ...silentConsume,
      lost: (records) => {
        this.counts.lost += records;
      },
      replayed: () => this.counts.replayed++,
      fenced: () => this.counts.fenced++,
      held: (_, reason) => this.held.push(reason),
    };
  }

  /** Written down when a call succeeds. */
  #watched(deps: PartitionDeps): PartitionDeps {
    const note = (text: string): void => void this.calls.push(text);
    const { log, store, ranges, deadLetters } = deps;
    return {
      ...deps,
      log: {
        ...log,
        commit: async (offset, metadata) => {
          await log.commit(offset, metadata);
          note(`commit ${offset} ${metadata}`);
        },
      },
      store: {
        insert: async (block) => {
          await store.insert(block);
          note(`insert ${block.token}`);
        },
      },
      ranges: {
        insert: async (row) => {
          await ranges.insert(row);
          note(`ledger ${row.first}-${row.last}`);
        },
      },
      deadLetters: {
        publish: async (letters) => {
          await deadLetters.publish(letters);
          for (const { record, reason } of letters) note(`bury ${record.offset} ${reason}`);
        },
      },
    };
  }
}

function same(deps: PartitionDeps): PartitionDeps {
  return deps;
}
